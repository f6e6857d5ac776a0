-- How many people are in each segment.
SELECT segment, count(*) AS people
FROM {{ ref('members') }}
GROUP BY segment
