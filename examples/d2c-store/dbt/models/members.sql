-- Answers as of 2026-12-01T11:00:00Z; for another instant it has to be made anew.
-- SQL of DuckDB, made by Seg.
-- May differ from Seg: ids that are one person: an id of the tables is a person, where `seg run` unites ids by merges or calls; name views in which everybody has one id.
{% raw %}
WITH r AS MATERIALIZED (
  SELECT CAST(t."profile_id" AS VARCHAR) AS id, CAST(NULL AS BIGINT) AS us, CAST(NULL AS BIGINT) AS arr,
    t."email_consent" AS "a_email_consent",
    t."sms_consent" AS "a_sms_consent",
    t."suppressed" AS "a_suppressed"
  FROM "people" AS t
  WHERE nullif(CAST(t."profile_id" AS VARCHAR), '') IS NOT NULL
),
raw AS (
  SELECT CAST(t."profile_id" AS VARCHAR) AS id, CASE t."event" WHEN 'Product Viewed' THEN 0 WHEN 'Added to Cart' THEN 1 WHEN 'Checkout Started' THEN 2 WHEN 'Order Completed' THEN 3 WHEN 'Order Delivered' THEN 4 WHEN 'Order Refunded' THEN 5 WHEN 'Review Written' THEN 6 WHEN 'Support Requested' THEN 7 WHEN 'Email Clicked' THEN 8 END AS ev, epoch_us(t."happened_at") AS us, CASE WHEN t."event" IN ('Product Viewed', 'Added to Cart', 'Checkout Started', 'Order Completed', 'Order Delivered', 'Order Refunded', 'Review Written', 'Support Requested', 'Email Clicked') THEN nullif(CAST(t."message_id" AS VARCHAR), '') ELSE CAST(NULL AS VARCHAR) END AS eid, t."arrived" AS arr,
    CASE WHEN t."event" IN ('Added to Cart') THEN CAST(CAST(t."value" AS DECIMAL(38,4)) * 10000 AS BIGINT) ELSE CAST(NULL AS BIGINT) END AS "p_value_",
    CASE WHEN t."event" IN ('Order Completed') THEN CAST(CAST(t."amount" AS DECIMAL(38,4)) * 10000 AS BIGINT) ELSE CAST(NULL AS BIGINT) END AS "p_amount_",
    CASE WHEN t."event" IN ('Order Completed') THEN nullif(t."category", '') ELSE CAST(NULL AS VARCHAR) END AS "p_category_",
    CASE WHEN t."event" IN ('Order Delivered') THEN nullif(t."category", '') ELSE CAST(NULL AS VARCHAR) END AS "p_category_2"
  FROM "events_of_people" AS t
  WHERE nullif(CAST(t."profile_id" AS VARCHAR), '') IS NOT NULL AND t."happened_at" IS NOT NULL AND t."event" IN ('Product Viewed', 'Added to Cart', 'Checkout Started', 'Order Completed', 'Order Delivered', 'Order Refunded', 'Review Written', 'Support Requested', 'Email Clicked')
),
e0 AS (
  SELECT raw.*, row_number() OVER (PARTITION BY raw.id, raw.ev, raw.eid ORDER BY raw.arr) AS dup
  FROM raw
),
e AS MATERIALIZED (
  SELECT row_number() OVER (ORDER BY e0.id, e0.us, e0.ev, e0.arr) AS rid, e0.id AS id, e0.ev AS ev, e0.us AS us, e0.eid AS eid, e0.arr AS arr, e0."p_value_" AS "p_value_", e0."p_amount_" AS "p_amount_", e0."p_category_" AS "p_category_", e0."p_category_2" AS "p_category_2"
  FROM e0
  WHERE e0.us <= 1796122800000000 /* 2026-12-01T11:00:00Z */ AND (e0.eid IS NULL OR e0.dup = 1)
),
ids AS (
  SELECT id FROM (
    SELECT r.id AS id, r.us AS dated, CASE WHEN r.us IS NULL THEN 1 END AS undated, CAST(NULL AS BIGINT) AS event, CAST(NULL AS BIGINT) AS first_seen FROM r
    UNION ALL
    SELECT e0.id AS id, CAST(NULL AS BIGINT) AS dated, CASE WHEN e0.us IS NULL THEN 1 END AS undated, e0.us AS event, CAST(NULL AS BIGINT) AS first_seen FROM e0 WHERE e0.eid IS NULL OR e0.dup = 1
  ) AS facts
  GROUP BY id
  HAVING CASE
    WHEN count(first_seen) > 0 THEN min(first_seen) <= 1796122800000000 /* 2026-12-01T11:00:00Z */
    WHEN count(undated) > 0 AND (count(dated) > 0 OR count(event) = 0) THEN true
    ELSE coalesce(min(dated) <= 1796122800000000 /* 2026-12-01T11:00:00Z */, false) OR coalesce(min(event) <= 1796122800000000 /* 2026-12-01T11:00:00Z */, false) END
),
p AS MATERIALIZED (
  SELECT ids.id AS id, l."a_email_consent" AS "a_email_consent", l."a_sms_consent" AS "a_sms_consent", l."a_suppressed" AS "a_suppressed"
  FROM ids LEFT JOIN r AS l ON l.id = ids.id
),
g1 AS (
  SELECT e.id AS id,
    count(CASE WHEN (e.ev = 7 AND e.us >= 1795518000000000 /* 2026-11-24T11:00:00Z */) THEN 1 END) AS c1,
    count(CASE WHEN (e.ev = 5 AND e.us >= 1793530800000000 /* 2026-11-01T11:00:00Z */) THEN 1 END) AS c2,
    count(CASE WHEN (e.ev = 3 AND e.us >= 1796036400000000 /* 2026-11-30T11:00:00Z */) THEN 1 END) AS c3,
    count(CASE WHEN (e.ev = 1 AND e.us >= 1796036400000000 /* 2026-11-30T11:00:00Z */ AND e.us <= 1796115600000000 /* 2026-12-01T09:00:00Z */ AND coalesce(e."p_value_" >= 1000000, false)) THEN 1 END) AS c4,
    count(CASE WHEN (e.ev = 1 AND e.us >= 1796036400000000 /* 2026-11-30T11:00:00Z */ AND e.us <= 1796115600000000 /* 2026-12-01T09:00:00Z */) THEN 1 END) AS c5,
    count(CASE WHEN (e.ev = 3 AND e.us >= 1795863600000000 /* 2026-11-28T11:00:00Z */) THEN 1 END) AS c6,
    count(CASE WHEN (e.ev = 0 AND e.us >= 1795863600000000 /* 2026-11-28T11:00:00Z */) THEN 1 END) AS c7,
    min(CASE WHEN e.ev = 3 THEN e.us END) AS c8,
    count(CASE WHEN e.ev = 3 THEN 1 END) AS c9,
    count(CASE WHEN (e.ev = 3 AND e.us >= 1790938800000000 /* 2026-10-02T11:00:00Z */ AND e.us <= 1793098800000000 /* 2026-10-27T11:00:00Z */) THEN 1 END) AS c10,
    count(CASE WHEN (e.ev = 3 AND e.us >= 1764586800000000 /* 2025-12-01T11:00:00Z */) THEN 1 END) AS c11,
    max(CASE WHEN e.ev = 3 THEN e.us END) AS c12,
    sum(CASE WHEN (e.ev = 3 AND e.us >= 1764586800000000 /* 2025-12-01T11:00:00Z */) THEN e."p_amount_" END) AS c13,
    count(CASE WHEN (e.ev = 3 AND e.us >= 1792234800000000 /* 2026-10-17T11:00:00Z */) THEN 1 END) AS c14,
    count(CASE WHEN (e.ev = 3 AND coalesce(e."p_category_" = 'serum', false)) THEN 1 END) AS c15,
    count(CASE WHEN (e.ev = 4 AND e.us >= 1794913200000000 /* 2026-11-17T11:00:00Z */ AND e.us <= 1795690800000000 /* 2026-11-26T11:00:00Z */ AND coalesce(e."p_category_2" = 'cleanser', false)) THEN 1 END) AS c16,
    count(CASE WHEN (e.ev = 6 AND e.us >= 1794394800000000 /* 2026-11-11T11:00:00Z */) THEN 1 END) AS c17,
    count(CASE WHEN (e.ev = 4 AND e.us >= 1794394800000000 /* 2026-11-11T11:00:00Z */ AND e.us <= 1795258800000000 /* 2026-11-21T11:00:00Z */) THEN 1 END) AS c18,
    count(CASE WHEN (e.ev = 8 AND e.us >= 1790938800000000 /* 2026-10-02T11:00:00Z */) THEN 1 END) AS c19,
    count(CASE WHEN (e.ev = 8 AND e.us >= 1780570800000000 /* 2026-06-04T11:00:00Z */) THEN 1 END) AS c20,
    count(CASE WHEN (e.ev = 3 AND e.us >= 1780570800000000 /* 2026-06-04T11:00:00Z */) THEN 1 END) AS c21,
    min(CASE WHEN e.us <= 1796122800000000 /* 2026-12-01T11:00:00Z */ THEN e.us END) AS c22
  FROM e
  GROUP BY e.id
),
q1 AS (
  SELECT e.id AS id, e.rid AS rid, e.us AS us
  FROM e
  WHERE (e.ev = 2 AND e.us >= 1796115600000000 /* 2026-12-01T09:00:00Z */)
),
q2 AS (
  SELECT e.id AS id, e.rid AS rid, e.us AS us
  FROM e
  WHERE e.ev = 3
),
k1 AS (
  SELECT DISTINCT a.rid AS rid
  FROM q1 AS a
  JOIN q2 AS b1 ON b1.id = a.id AND b1.rid <> a.rid AND b1.us >= a.us
),
g2 AS (
  SELECT e.id AS id,
    count(CASE WHEN (e.ev = 2 AND e.us >= 1796115600000000 /* 2026-12-01T09:00:00Z */ AND (NOT k1.rid IS NOT NULL)) THEN 1 END) AS c1
  FROM e LEFT JOIN k1 ON k1.rid = e.rid
  GROUP BY e.id
),
q3 AS (
  SELECT e.id AS id, e.rid AS rid, e.us AS us
  FROM e
  WHERE (e.ev = 2 AND e.us <= 1796121900000000 /* 2026-12-01T10:45:00Z */ AND e.us >= 1796115600000000 /* 2026-12-01T09:00:00Z */)
),
q4 AS (
  SELECT e.id AS id, e.rid AS rid, e.us AS us
  FROM e
  WHERE (e.ev = 3 AND e.us <= 1796121900000000 /* 2026-12-01T10:45:00Z */)
),
k2 AS (
  SELECT DISTINCT a.rid AS rid
  FROM q3 AS a
  JOIN q4 AS b1 ON b1.id = a.id AND b1.rid <> a.rid AND b1.us >= a.us
),
g3 AS (
  SELECT e.id AS id,
    count(CASE WHEN (e.ev = 2 AND e.us <= 1796121900000000 /* 2026-12-01T10:45:00Z */ AND e.us >= 1796115600000000 /* 2026-12-01T09:00:00Z */ AND (NOT k2.rid IS NOT NULL)) THEN 1 END) AS c1
  FROM e LEFT JOIN k2 ON k2.rid = e.rid
  GROUP BY e.id
),
q5 AS (
  SELECT DISTINCT e.id AS id, e.us AS us
  FROM e
  WHERE e.ev = 3
),
gaps1 AS (
  SELECT id, us - lag(us) OVER (PARTITION BY id ORDER BY us) AS gap
  FROM q5
),
sizes1 AS (
  SELECT id, gap, row_number() OVER (PARTITION BY id ORDER BY gap) AS n, count(*) OVER (PARTITION BY id) AS size
  FROM gaps1
  WHERE gap IS NOT NULL
),
x1 AS (
  SELECT id, min(gap) AS lower, max(gap) AS upper
  FROM sizes1
  WHERE size >= 3 AND n IN ((((size + 1) - ((((size + 1) % 2) + 2) % 2)) // 2), (((size + 2) - ((((size + 2) % 2) + 2) % 2)) // 2))
  GROUP BY id
),
m AS MATERIALIZED (
  SELECT p.id AS id,
    (coalesce(p."a_sms_consent" = true, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false))) AND coalesce(coalesce(g2.c1, 0) >= 1, false) AND coalesce(coalesce(g3.c1, 0) >= 1, false)) AS s1,
    (coalesce(p."a_email_consent" = true, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND (NOT coalesce(coalesce(g1.c3, 0) >= 1, false)) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false))) AND coalesce(coalesce(g1.c4, 0) >= 1, false)) AS s2,
    (coalesce(p."a_email_consent" = true, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND (NOT coalesce(coalesce(g1.c3, 0) >= 1, false)) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false))) AND coalesce(coalesce(g1.c5, 0) >= 1, false)) AS s3,
    (coalesce(p."a_email_consent" = true, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND (NOT coalesce(coalesce(g1.c6, 0) >= 1, false)) AND coalesce(coalesce(g1.c7, 0) >= 3, false) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false)))) AS s4,
    (coalesce(p."a_email_consent" = true, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND coalesce(g1.c8 >= 1795518000000000 /* 2026-11-24T11:00:00Z */, false) AND coalesce(g1.c8 <= 1796122800000000 /* 2026-12-01T11:00:00Z */, false)) AS s5,
    (coalesce(p."a_email_consent" = true, false) AND coalesce(coalesce(g1.c9, 0) >= 1, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND (NOT coalesce(coalesce(g1.c9, 0) >= 2, false)) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false))) AND coalesce(coalesce(g1.c10, 0) >= 1, false)) AS s6,
    coalesce(coalesce(g1.c11, 0) >= 3, false) AS s7,
    (coalesce(p."a_email_consent" = true, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND coalesce(coalesce(g1.c11, 0) >= 3, false) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false))) AND coalesce((1796122800000000 /* 2026-12-01T11:00:00Z */ - g1.c12) > TRY_CAST(list_transform([{'x0': TRY(CAST((((x1.lower + x1.upper) - ((((x1.lower + x1.upper) % 2) + 2) % 2)) // 2) AS HUGEINT) * CAST(15 AS HUGEINT)), 'x1': CAST(10 AS HUGEINT)}], lambda v1: list_transform([{'x0': ((((CASE WHEN v1.x1 < 0 THEN -v1.x0 ELSE v1.x0 END) % nullif(abs(v1.x1), 0)) + nullif(abs(v1.x1), 0)) % nullif(abs(v1.x1), 0)), 'x1': (((CASE WHEN v1.x1 < 0 THEN -v1.x0 ELSE v1.x0 END) - ((((CASE WHEN v1.x1 < 0 THEN -v1.x0 ELSE v1.x0 END) % nullif(abs(v1.x1), 0)) + nullif(abs(v1.x1), 0)) % nullif(abs(v1.x1), 0))) // nullif(abs(v1.x1), 0)), 'x2': nullif(abs(v1.x1), 0)}], lambda v2: (v2.x1 + CASE WHEN 2 * v2.x0 > v2.x2 OR (2 * v2.x0 = v2.x2 AND (v2.x1 % 2) <> 0) THEN 1 ELSE 0 END))[1])[1] AS BIGINT), false)) AS s8,
    (coalesce(p."a_email_consent" = true, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND coalesce(g1.c12 >= 1780570800000000 /* 2026-06-04T11:00:00Z */, false) AND coalesce(g1.c12 <= 1788346800000000 /* 2026-09-02T11:00:00Z */, false) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false)))) AS s9,
    coalesce(coalesce(g1.c13, 0) >= 5000000, false) AS s10,
    (coalesce(p."a_email_consent" = true, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND (NOT coalesce(coalesce(g1.c14, 0) >= 1, false)) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false))) AND coalesce(coalesce(g1.c13, 0) >= 5000000, false)) AS s11,
    (coalesce(p."a_email_consent" = true, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND (NOT coalesce(coalesce(g1.c15, 0) >= 1, false)) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false))) AND coalesce(coalesce(g1.c16, 0) >= 1, false)) AS s12,
    (coalesce(p."a_email_consent" = true, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND (NOT coalesce(coalesce(g1.c17, 0) >= 1, false)) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false))) AND coalesce(coalesce(g1.c18, 0) >= 1, false)) AS s13,
    coalesce(coalesce(g1.c19, 0) >= 1, false) AS s14,
    (coalesce(p."a_email_consent" = true, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND (NOT coalesce(coalesce(g1.c20, 0) >= 1, false)) AND (NOT coalesce(coalesce(g1.c21, 0) >= 1, false)) AND coalesce(g1.c22 <= 1780570800000000 /* 2026-06-04T11:00:00Z */, false)) AS s15,
    (coalesce(g1.c12 >= 1780570800000000 /* 2026-06-04T11:00:00Z */, false) AND coalesce(g1.c12 <= 1788346800000000 /* 2026-09-02T11:00:00Z */, false) AND coalesce(coalesce(g1.c9, 0) >= 2, false) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false)))) AS s16,
    (coalesce(p."a_email_consent" = true, false) AND (coalesce(p."a_suppressed" = false, false) OR (NOT p."a_suppressed" IS NOT NULL)) AND coalesce(g1.c12 >= 1780570800000000 /* 2026-06-04T11:00:00Z */, false) AND coalesce(g1.c12 <= 1788346800000000 /* 2026-09-02T11:00:00Z */, false) AND coalesce(coalesce(g1.c9, 0) >= 2, false) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false))) AND substr(md5(concat('winter-2026', chr(0), p.id)), 1, 8) < '80000000') AS s17,
    (coalesce(g1.c12 >= 1780570800000000 /* 2026-06-04T11:00:00Z */, false) AND coalesce(g1.c12 <= 1788346800000000 /* 2026-09-02T11:00:00Z */, false) AND coalesce(coalesce(g1.c9, 0) >= 2, false) AND (NOT (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false))) AND substr(md5(concat('winter-2026', chr(0), p.id)), 1, 8) >= '80000000') AS s18,
    coalesce(coalesce(g1.c1, 0) >= 1, false) AS s19,
    coalesce(coalesce(g1.c2, 0) >= 1, false) AS s20,
    (coalesce(coalesce(g1.c1, 0) >= 1, false) OR coalesce(coalesce(g1.c2, 0) >= 1, false)) AS s21
  FROM p LEFT JOIN g1 ON g1.id = p.id LEFT JOIN g2 ON g2.id = p.id LEFT JOIN g3 ON g3.id = p.id LEFT JOIN x1 ON x1.id = p.id
)
SELECT segment, id
FROM (
SELECT 1 AS place, 'Checkout left, 0-2h' AS segment, m.id AS id FROM m WHERE m.s1
UNION ALL
SELECT 2 AS place, 'Cart left, 100 EUR, 2-24h' AS segment, m.id AS id FROM m WHERE m.s2
UNION ALL
SELECT 3 AS place, 'Cart left, 2-24h' AS segment, m.id AS id FROM m WHERE m.s3
UNION ALL
SELECT 4 AS place, 'Browsed, 3 days' AS segment, m.id AS id FROM m WHERE m.s4
UNION ALL
SELECT 5 AS place, 'First order, 7 days' AS segment, m.id AS id FROM m WHERE m.s5
UNION ALL
SELECT 6 AS place, 'Second order overdue, 35-60 days' AS segment, m.id AS id FROM m WHERE m.s6
UNION ALL
SELECT 7 AS place, 'Regulars, 3 orders in 365 days' AS segment, m.id AS id FROM m WHERE m.s7
UNION ALL
SELECT 8 AS place, 'Out of rhythm' AS segment, m.id AS id FROM m WHERE m.s8
UNION ALL
SELECT 9 AS place, 'Winback, 90-180 days' AS segment, m.id AS id FROM m WHERE m.s9
UNION ALL
SELECT 10 AS place, 'VIP, 500 EUR in 365 days' AS segment, m.id AS id FROM m WHERE m.s10
UNION ALL
SELECT 11 AS place, 'VIP slipping, 45 days' AS segment, m.id AS id FROM m WHERE m.s11
UNION ALL
SELECT 12 AS place, 'Serum after cleanser, 5-14 days' AS segment, m.id AS id FROM m WHERE m.s12
UNION ALL
SELECT 13 AS place, 'Review wanted, 10-20 days' AS segment, m.id AS id FROM m WHERE m.s13
UNION ALL
SELECT 14 AS place, 'Clicks, 60 days' AS segment, m.id AS id FROM m WHERE m.s14
UNION ALL
SELECT 15 AS place, 'Asleep, 180 days' AS segment, m.id AS id FROM m WHERE m.s15
UNION ALL
SELECT 16 AS place, 'Winter test, all' AS segment, m.id AS id FROM m WHERE m.s16
UNION ALL
SELECT 17 AS place, 'Winter test, written to' AS segment, m.id AS id FROM m WHERE m.s17
UNION ALL
SELECT 18 AS place, 'Winter test, held out' AS segment, m.id AS id FROM m WHERE m.s18
UNION ALL
SELECT 19 AS place, 'Waiting for an answer, 7 days' AS segment, m.id AS id FROM m WHERE m.s19
UNION ALL
SELECT 20 AS place, 'Refunded, 30 days' AS segment, m.id AS id FROM m WHERE m.s20
UNION ALL
SELECT 21 AS place, 'Not now' AS segment, m.id AS id FROM m WHERE m.s21
) AS members
{% endraw %}
