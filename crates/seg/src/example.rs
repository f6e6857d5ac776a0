//! People made up for a segment: one who is in, and for each condition one whom it alone keeps
//! out, by as small a step as there is.
//!
//! What a person may be given is taken from the conditions: the values that they compare with and
//! those beside them, the ends of windows, how many events they count. From nobody in particular
//! the search goes step by step to whoever meets more of the conditions, by the compiled program;
//! then it looks at everybody who is one step from a member. Nothing is told of that was not
//! checked: each example is written as a `test` block, compiled with the project, and kept when
//! it passes.

mod steps;
mod written;

use crate::compile::{Program, compile, parse};
use crate::diagnostics::Diagnostics;
use crate::engine::Engine;
use crate::options::Options;
use crate::pool::{Collect, Pool};
use crate::prepared::Prepared;
use crate::project::Project;
use crate::testing::{comes_true, people};

use seg_data::{Schema, Timestamp, Zone};
use seg_hir::clauses;
use seg_hir::explain::Role;
use seg_hir::hir::{Cond, Header, Module, Segment, SegmentId, Test, TestProfile};
use seg_syntax::source::Span;
use steps::{NAMES, Stepped, simpler, steps};
use written::Written;

/// So many steps are taken towards somebody who is in, and so many of them without coming
/// nearer.
const ROUNDS_MAX: usize = 14;
const IDLE_MAX: usize = 6;
/// Fractions of a condition are worth less than all of it.
const WHOLE: u32 = 100;
/// Where more are on a person's mind, it is not looked for who could do with less.
const FACTS_MAX: usize = 60;

/// People made up for a segment, as `test` blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examples {
    /// One who is in it; none where nobody was found.
    pub matching: Option<String>,
    /// For each condition as it is written.
    pub misses: Vec<Miss>,
}

/// A condition, and somebody whom it alone keeps out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// What part it plays.
    pub role: Role,
    /// Its words.
    pub condition: String,
    /// The test block; none where nobody was found.
    pub block: Option<String>,
}

/// Makes up people for a segment, one of those that are run, as of an instant; `None` for a name
/// that none has.
///
/// # Errors
/// Every problem of the project, when at least one of them is an error.
pub fn examples(project: &Project, segment: &str, now: Timestamp) -> Result<Option<Examples>, Diagnostics> {
    let program = compile(project)?;
    let module = program.module();
    let Some(id) = module.run().find(|(_, known)| known.name == segment).map(|(id, _)| id) else { return Ok(None) };
    let parses = parse(project);
    let lists = project.lists(&parses);
    let clauses =
        project.written(&parses, &lists, module).segment(id).map(|segment| segment.clauses).unwrap_or_default();
    let search = Search::new(project, module, (id, &clauses), now);
    let member = search.member();
    let words = |span: Span| {
        let said = project.sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ");
        let bare = ["whose ", "who "].iter().find_map(|lead| said.strip_prefix(lead));
        bare.map_or(said.clone(), str::to_owned)
    };
    let to_text = Written { schema: &project.schema, zone: project.settings.zone, now };
    // Tests have names of their own.
    let mut names: Vec<String> = Vec::new();
    let mut block = |person: &TestProfile, out_by: Option<&str>| {
        let name = match out_by {
            None => format!("{segment}: in"),
            Some(condition) => format!("{segment}: out by {}", condition.replace('"', "'")),
        };
        let n_same = names.iter().filter(|known| **known == name).count();
        names.push(name.clone());
        let name = if n_same == 0 { name } else { format!("{name}, {}", n_same + 1) };
        // The project may have the same test by now, under that name.
        let checked = to_text.block(person, segment, &format!("{name} (made up)"), out_by.is_none());
        passes(project, &checked).then(|| to_text.block(person, segment, &name, out_by.is_none()))
    };
    let matching = member.as_ref().and_then(|person| block(person, None));
    let mut misses = Vec::new();
    for (nth, clause) in clauses.iter().enumerate() {
        let condition = words(clause.span);
        let found = member.as_ref().and_then(|member| search.miss(member, nth));
        let block = found.and_then(|person| block(&person, Some(&condition)));
        misses.push(Miss { role: clause.role, condition, block });
    }
    Ok(Some(Examples { matching, misses }))
}

/// Whether all tests of a text pass beside the project.
fn passes(project: &Project, text: &str) -> bool {
    let mut with = project.clone();
    let id = with.sources.add("example.test.seg", text);
    with.segment_files.push(id);
    let Ok(program) = compile(&with) else { return false };
    let prepared = program.prepare();
    let tests: Vec<&Test> = program.module().tests.iter().filter(|test| test.span.source == id).collect();
    let is_passed = |test: &&Test| {
        people(&with, test)
            .is_ok_and(|batch| test.expectations.iter().all(|expected| comes_true(&prepared, &batch, expected)))
    };
    !tests.is_empty() && tests.iter().all(is_passed)
}

/// A condition and what it is made of, each by its position among the segments of a module, and
/// whether it is wanted to hold.
struct Part {
    whole: (usize, bool),
    leaves: Vec<(usize, bool)>,
    /// What it alone speaks of.
    pool: Pool,
}

/// What somebody is like.
struct Answer {
    is_in: bool,
    /// Of each condition whether it is as it is wanted, and how many hundredths of what it is
    /// made of are.
    parts: Vec<(bool, u32)>,
}

impl Answer {
    fn score(&self) -> u32 {
        let parts: u32 = self.parts.iter().map(|(is_met, share)| if *is_met { WHOLE } else { share / 2 }).sum();
        parts + if self.is_in { WHOLE } else { 0 }
    }

    /// Whether one condition alone keeps them out.
    fn misses_by(&self, nth: usize) -> bool {
        !self.is_in && self.parts.iter().enumerate().all(|(at, (is_met, _))| *is_met == (at != nth))
    }

    fn score_of_missing(&self, nth: usize) -> u32 {
        let of = |(at, (is_met, share)): (usize, &(bool, u32))| match (at == nth, is_met) {
            (false, true) | (true, false) => WHOLE,
            (false, false) => share / 2,
            (true, true) => 0,
        };
        self.parts.iter().enumerate().map(of).sum()
    }
}

/// Looks for people.
struct Search<'a> {
    project: &'a Project,
    schema: &'a Schema,
    /// The module with each condition as a segment of its own.
    prepared: Prepared,
    /// The segment, by its position among those that are run.
    root: usize,
    parts: Vec<Part>,
    pool: Pool,
    now: Timestamp,
}

impl<'a> Search<'a> {
    fn new(
        project: &'a Project,
        module: &Module,
        (id, clauses): (SegmentId, &[clauses::Clause]),
        now: Timestamp,
    ) -> Search<'a> {
        let root = module.run().position(|(known, _)| known == id).unwrap_or_default();
        let zone = project.settings.zone.unwrap_or(Zone::UTC);
        let collect = || Collect { module, schema: &project.schema, now, zone, pool: Pool::new(now) };
        let mut of_all = collect();
        let mut with = Module { tests: Vec::new(), ..module.clone() };
        let n_run = module.run().count();
        let mut add = |cond: Cond| {
            let at = with.segments.len() - module.segments.len();
            with.order.push(SegmentId(with.segments.len() as u32));
            with.segments.push(Segment {
                name: format!("condition {at}"),
                span: Span::default(),
                header: Header::default(),
                include: cond,
                is_row: false,
                excludes: Vec::new(),
                rules: Vec::new(),
            });
            n_run + at
        };
        let mut parts = Vec::new();
        for clause in clauses {
            of_all.cond(&clause.cond);
            let mut own = collect();
            own.cond(&clause.cond);
            let wanted = clause.role != Role::Exclude;
            let mut leaves = Vec::new();
            leaves_of(module, &clause.cond, wanted, &mut leaves);
            let leaves = leaves.into_iter().map(|(leaf, wanted)| (add(leaf), wanted)).collect();
            parts.push(Part { whole: (add(clause.cond.clone()), wanted), leaves, pool: own.finish() });
        }
        let prepared = Program::of_module(with, project.schema()).prepare();
        Search { project, schema: &project.schema, prepared, root, parts, pool: of_all.finish(), now }
    }

    /// What each of some people is like, in their order; nothing where they cannot be read.
    fn judge(&self, people: &[TestProfile]) -> Vec<Answer> {
        let together = if self.pool.is_by_id { 1 } else { people.len().max(1) };
        people.chunks(together).flat_map(|people| self.judge_together(people)).collect()
    }

    fn judge_together(&self, people: &[TestProfile]) -> Vec<Answer> {
        let numbered = people.iter().enumerate().map(|(nth, person)| match self.pool.is_by_id {
            true => person.clone(),
            false => TestProfile { id: format!("{nth}"), ..person.clone() },
        });
        let test = Test {
            name: String::new(),
            span: Span::default(),
            at: self.now,
            profiles: numbered.collect(),
            expectations: Vec::new(),
        };
        let none = || Answer { is_in: false, parts: self.parts.iter().map(|_| (false, 0)).collect() };
        let options = Options::new().with_engine(Engine::Plan);
        let evaluated = self::people(self.project, &test).ok().and_then(|batch| {
            let evaluation = self.prepared.evaluate_with(&batch, self.now, &options).ok()?;
            Some((batch, evaluation))
        });
        let Some((batch, evaluation)) = evaluated else { return people.iter().map(|_| none()).collect() };
        let answer = |profile: &TestProfile| {
            let Some(row) = batch.row_of(&profile.id) else { return none() };
            let is =
                |(at, wanted): &(usize, bool)| evaluation.masks().get(*at).is_some_and(|mask| mask.get(row) == *wanted);
            let part = |part: &Part| {
                let n = part.leaves.iter().filter(|leaf| is(leaf)).count();
                (is(&part.whole), (n * WHOLE as usize / part.leaves.len().max(1)) as u32)
            };
            Answer { is_in: is(&(self.root, true)), parts: self.parts.iter().map(part).collect() }
        };
        test.profiles.iter().map(answer).collect()
    }

    /// From somebody step by step to whoever is meant.
    fn find(
        &self,
        from: TestProfile,
        score: &dyn Fn(&Answer) -> u32,
        is_meant: &dyn Fn(&Answer) -> bool,
    ) -> Option<TestProfile> {
        let mut current = from;
        let first = self.judge(std::slice::from_ref(&current)).into_iter().next()?;
        let (mut best, mut n_idle) = (score(&first), 0);
        if is_meant(&first) {
            return Some(current);
        }
        for round in 0..ROUNDS_MAX {
            let tried: Vec<TestProfile> =
                steps(&current, &self.pool, self.schema).into_iter().map(|(p, _)| p).collect();
            let answers = self.judge(&tried);
            let most = answers.iter().map(score).max()?;
            if let Some((person, _)) = tried.iter().zip(&answers).find(|(_, answer)| is_meant(answer)) {
                return Some(person.clone());
            }
            let mut as_good: Vec<&TestProfile> =
                tried.iter().zip(&answers).filter(|(_, answer)| score(answer) == most).map(|(p, _)| p).collect();
            as_good.sort_by_key(|person| n_facts(person));
            // Without coming nearer, somebody else of the same kind may do better.
            let nth = if most > best { 0 } else { (7 * round + 3) % as_good.len().max(1) };
            n_idle = if most > best { 0 } else { n_idle + 1 };
            if n_idle > IDLE_MAX {
                return None;
            }
            current = (*as_good.get(nth)?).clone();
            best = most;
        }
        None
    }

    /// Somebody who is in, with nothing that is not needed.
    fn member(&self) -> Option<TestProfile> {
        let nobody = TestProfile { id: NAMES.first().copied().unwrap_or("ann").to_owned(), ..TestProfile::default() };
        let mut member = self.find(nobody, &Answer::score, &|answer| answer.is_in)?;
        while n_facts(&member) <= FACTS_MAX {
            let less = simpler(&member);
            let answers = self.judge(&less);
            let Some((person, _)) = less.into_iter().zip(answers).find(|(_, answer)| answer.is_in) else { break };
            member = person;
        }
        Some(member)
    }

    /// Somebody whom a condition alone keeps out, as near to a member as there is.
    fn miss(&self, member: &TestProfile, nth: usize) -> Option<TestProfile> {
        // By what the condition itself speaks of, before what others do.
        for pool in [&self.parts.get(nth)?.pool, &self.pool] {
            let around = steps(member, pool, self.schema);
            let people: Vec<TestProfile> = around.iter().map(|(person, _)| person.clone()).collect();
            let answers = self.judge(&people);
            let nearest: Option<&Stepped> = around
                .iter()
                .zip(&answers)
                .filter(|(_, answer)| answer.misses_by(nth))
                .map(|(step, _)| step)
                .min_by_key(|(person, rank)| (*rank, n_facts(person)));
            if let Some((person, _)) = nearest {
                return Some(person.clone());
            }
        }
        let score = |answer: &Answer| answer.score_of_missing(nth);
        self.find(member.clone(), &score, &|answer| answer.misses_by(nth))
    }
}

/// How much is said of somebody.
fn n_facts(person: &TestProfile) -> usize {
    person.attributes.len() + person.changes.len() + person.events.len()
}

/// The conditions that one is made of, each with whether it is wanted to hold.
fn leaves_of(module: &Module, cond: &Cond, wanted: bool, out: &mut Vec<(Cond, bool)>) {
    match cond {
        Cond::All(members) | Cond::Any(members) | Cond::Cardinality { members, .. } => {
            members.iter().for_each(|member| leaves_of(module, member, wanted, out));
        }
        Cond::Not(inner) => leaves_of(module, inner, !wanted, out),
        Cond::InSegment(id) => {
            let Some(segment) = module.segments.get(id.idx()) else { return };
            leaves_of(module, &segment.include, wanted, out);
            segment.excludes.iter().for_each(|exclude| leaves_of(module, exclude, !wanted, out));
        }
        Cond::Const(_)
        | Cond::Known(_)
        | Cond::Compare(..)
        | Cond::OneOf(..)
        | Cond::Text(..)
        | Cond::Has(..)
        | Cond::FirstOrLastN { .. }
        | Cond::Chain(_)
        | Cond::Items { .. }
        | Cond::Sample { .. }
        | Cond::InList(..)
        | Cond::Profile(_)
        | Cond::Elements { .. } => out.push((cond.clone(), wanted)),
    }
}
