//! Events of one person at one instant, of which the order of arrival says which came first.

use crate::sequences::Sequences;
use seg_data::parallel;
use std::num::NonZero;

/// People who are looked at together.
const PEOPLE: usize = 1 << 14;

/// For the events of each name the positions of those that share an instant with another
/// event of their person, of whichever name, ascending.
pub(super) fn ties(names: &[&Sequences], n_people: usize, threads: NonZero<usize>) -> Vec<Vec<u32>> {
    let stretches = n_people.div_ceil(PEOPLE);
    let mut found: Vec<Vec<Vec<u32>>> = (0..stretches).map(|_| Vec::new()).collect();
    let work: Vec<_> = found.iter_mut().enumerate().collect();
    parallel::each(work, threads, Vec::new, |times: &mut Vec<i64>, (at, to)| {
        let people = at * PEOPLE..(at * PEOPLE + PEOPLE).min(n_people);
        *to = names.iter().map(|_| Vec::new()).collect();
        for person in people {
            of_person(names, person as u32, times, to);
        }
    });
    let mut all: Vec<Vec<u32>> = names.iter().map(|_| Vec::new()).collect();
    for of_stretch in found {
        all.iter_mut().zip(of_stretch).for_each(|(all, of_stretch)| all.extend(of_stretch));
    }
    all
}

fn of_person(names: &[&Sequences], person: u32, times: &mut Vec<i64>, found: &mut [Vec<u32>]) {
    times.clear();
    for name in names {
        times.extend(name.times().get(name.of_person(person)).unwrap_or_default());
    }
    times.sort_unstable();
    let is_tied = |time: &i64| {
        let first = times.partition_point(|known| known < time);
        times.get(first + 1) == Some(time)
    };
    if !times.iter().zip(times.iter().skip(1)).any(|(a, b)| a == b) {
        return;
    }
    for (name, found) in names.iter().zip(found) {
        let rows = name.of_person(person);
        let own = name.times().get(rows.clone()).unwrap_or_default();
        // A batch has fewer events of a name than 2^31.
        found.extend(rows.zip(own).filter(|(_, time)| is_tied(time)).map(|(row, _)| row as u32));
    }
}
