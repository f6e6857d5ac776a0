//! HIR to plan.

use crate::build::Builder;
use crate::plan::{Chain, ChainStep, Literal, Node, NodeId, Plan, Query, Root};
use seg_hir::hir::{self, Cond, Expr, ExprKind, Module};

/// The plan of a module without errors. Segments that refer to others share
/// their nodes.
pub fn lower(module: &Module) -> Plan {
    let mut lower = Lower::new(module);
    lower.segments(module);
    let mut roots = Vec::with_capacity(module.segments.len());
    for (id, segment) in module.run() {
        let own = lower.segments.get(id.idx()).copied().flatten();
        let mut members = vec![own.unwrap_or_else(|| lower.builder.constant(false))];
        members.extend(segment.rules.iter().map(|rule| lower.cond(rule)));
        let node = lower.builder.all(members);
        roots.push(Root { name: segment.name.clone(), node });
    }
    lower.builder.finish(roots)
}

/// The conditions of each segment that is run, as they are written: those of its row,
/// and what it excludes. Of a segment whose conditions are one phrase, or stand in two
/// views, there is none.
pub(crate) struct Rows {
    /// A root for each condition, those of one segment after another.
    pub plan: Plan,
    /// For each segment that is run, whether all of its conditions must hold, or any,
    /// and how many they are.
    pub rows: Vec<(bool, usize)>,
}

/// The rows of a module without errors.
pub(crate) fn rows(module: &Module) -> Rows {
    let mut lower = Lower::new(module);
    let parts = lower.segments(module);
    let (mut roots, mut rows) = (Vec::new(), Vec::new());
    for (id, segment) in module.run() {
        let is_looked_at = segment.rules.is_empty() && !segment.header_is_graced();
        let own = parts.get(id.idx()).filter(|_| is_looked_at);
        let own = own.cloned().unwrap_or_else(|| Parts { is_all: true, members: Vec::new() });
        rows.push((own.is_all, own.members.len()));
        roots.extend(own.members.into_iter().map(|node| Root { name: String::new(), node }));
    }
    Rows { plan: lower.builder.finish(roots), rows }
}

/// What a segment is made of: conditions of which all must hold, or any.
#[derive(Clone)]
struct Parts {
    is_all: bool,
    members: Vec<NodeId>,
}

struct Lower {
    builder: Builder,
    segments: Vec<Option<NodeId>>,
}

impl Lower {
    fn new(module: &Module) -> Lower {
        Lower { builder: Builder::default(), segments: vec![None; module.segments.len()] }
    }

    /// Makes every segment without its rules, after those that it refers to; gives what
    /// each is made of.
    fn segments(&mut self, module: &Module) -> Vec<Parts> {
        let mut parts = vec![Parts { is_all: true, members: Vec::new() }; module.segments.len()];
        for id in &module.order {
            let Some(segment) = module.segments.get(id.idx()) else { continue };
            let own = self.parts(segment);
            let node = match own.is_all {
                true => self.builder.all(own.members.clone()),
                false => self.builder.any(own.members.clone()),
            };
            if let (Some(slot), Some(part)) = (self.segments.get_mut(id.idx()), parts.get_mut(id.idx())) {
                (*slot, *part) = (Some(node), own);
            }
        }
        parts
    }

    fn parts(&mut self, segment: &hir::Segment) -> Parts {
        let (is_all, include) = match &segment.include {
            Cond::All(members) if segment.is_row => (true, members.as_slice()),
            Cond::Any(members) if segment.is_row && segment.excludes.is_empty() => (false, members.as_slice()),
            include => (true, std::slice::from_ref(include)),
        };
        let mut members: Vec<NodeId> = include.iter().map(|member| self.cond(member)).collect();
        for exclude in &segment.excludes {
            let exclude = self.cond(exclude);
            members.push(self.builder.negate(exclude));
        }
        Parts { is_all, members }
    }

    fn cond(&mut self, cond: &Cond) -> NodeId {
        match cond {
            Cond::Const(value) => self.builder.constant(*value),
            Cond::All(members) => {
                let members = members.iter().map(|m| self.cond(m)).collect();
                self.builder.all(members)
            }
            Cond::Any(members) => {
                let members = members.iter().map(|m| self.cond(m)).collect();
                self.builder.any(members)
            }
            Cond::Cardinality { min, max, members } => {
                let members = members.iter().map(|m| self.cond(m)).collect();
                self.builder.cardinality(*min, *max, members)
            }
            Cond::Not(inner) => {
                let inner = self.cond(inner);
                self.builder.negate(inner)
            }
            // A module is lowered in the order of its references.
            Cond::InSegment(id) => match self.segments.get(id.idx()).copied().flatten() {
                Some(node) => node,
                None => self.builder.constant(false),
            },
            Cond::Known(expr) => {
                let value = self.expr(expr);
                self.builder.known(value)
            }
            Cond::Compare(op, left, right) => {
                let (left, right) = (self.expr(left), self.expr(right));
                self.builder.compare(*op, left, right)
            }
            Cond::OneOf(expr, values) => {
                let value = self.expr(expr);
                let values = values.iter().cloned().map(Literal).collect();
                self.builder.add(Node::OneOf(value, values))
            }
            Cond::Text(op, expr, text) => {
                // Everything but patterns compares folded texts.
                let ignore_case = *op == hir::TextOp::Matches && matches!(expr.kind, ExprKind::FoldCase(_));
                let value = self.expr(expr);
                self.builder.add(Node::Text { op: *op, value, text: text.clone(), ignore_case })
            }
            Cond::Has(expr, value) => {
                let list = self.expr(expr);
                self.builder.add(Node::Has(list, Literal(value.clone())))
            }
            Cond::FirstOrLastN { end, n, query, filter } => {
                let query = self.query(query);
                let filter = self.cond(filter);
                self.builder.add(Node::FirstOrLastN { end: *end, n: *n, query, filter })
            }
            Cond::Chain(chain) => {
                let steps = chain.steps.iter().map(|step| ChainStep {
                    query: self.query(&step.query),
                    within: step.within,
                    none_between: step.none_between.as_ref().map(|none| self.query(none)),
                });
                let steps = steps.collect();
                let (order, whole, same) = (chain.order, chain.whole, chain.same.clone());
                self.builder.add(Node::Chain(Chain { order, steps, whole, same }))
            }
            Cond::Items { is_all, list, filter } => {
                let filter = self.cond(filter);
                self.builder.add(Node::Items { is_all: *is_all, list: list.clone(), filter })
            }
            Cond::Sample { name, below, is_complement } => {
                let (name, below, is_complement) = (name.clone(), *below, *is_complement);
                self.builder.add(Node::Sample { name, below, is_complement })
            }
            Cond::Elements { is_all, list, filter } => {
                let filter = self.cond(filter);
                self.builder.add(Node::Elements { is_all: *is_all, list: *list, filter })
            }
            Cond::Profile(test) => self.builder.add(Node::Profile(test.clone())),
            Cond::InList(expr, list) => {
                let value = self.expr(expr);
                self.builder.add(Node::InList(value, list.clone()))
            }
        }
    }

    fn query(&mut self, query: &hir::Query) -> Query {
        let filter = query.filter.as_ref().map(|f| self.cond(f));
        Query { events: query.events.clone(), interval: query.interval, filter, known_at: query.known_at }
    }

    fn expr(&mut self, expr: &Expr) -> NodeId {
        let node = match &expr.kind {
            ExprKind::Literal(value) => Node::Literal(Literal(value.clone())),
            ExprKind::Attribute(id) => Node::Attribute(*id, expr.ty.clone()),
            ExprKind::Property(ids) => Node::Property(ids.clone(), expr.ty.clone()),
            ExprKind::Moment(moment) => Node::Moment(*moment),
            ExprKind::Today { zone, offset } => Node::Today { zone: *zone, offset: *offset },
            ExprKind::Seen(end, known_at) => Node::Seen(*end, *known_at),
            ExprKind::Time => Node::Time,
            ExprKind::Element { list, field } => Node::Element { list: *list, field: *field, ty: expr.ty.clone() },
            ExprKind::History { attribute, filter, of } => {
                Node::History { attribute: *attribute, filter: self.cond(filter), of: *of }
            }
            ExprKind::HeldValue { attribute, is_before } => {
                Node::HeldValue { attribute: *attribute, is_before: *is_before, ty: expr.ty.clone() }
            }
            ExprKind::Field { list, field } => Node::Field { list: list.clone(), field: *field, ty: expr.ty.clone() },
            ExprKind::Shift { of, by, is_back } => Node::Shift { of: self.expr(of), by: *by, is_back: *is_back },
            ExprKind::DayOf(of, zone) => Node::DayOf(self.expr(of), *zone),
            ExprKind::Part(part, of, zone) => Node::Part(*part, self.expr(of), *zone),
            ExprKind::Anniversary(day, from) => {
                let (day, from) = (self.expr(day), self.expr(from));
                Node::Anniversary(day, from)
            }
            ExprKind::Elapsed(of) => Node::Elapsed(self.expr(of)),
            ExprKind::Distance { latitude, longitude, to } => {
                let (latitude, longitude) = (self.expr(latitude), self.expr(longitude));
                Node::Distance { latitude, longitude, to: [to.latitude.to_bits(), to.longitude.to_bits()] }
            }
            ExprKind::UsualGap(query) => Node::UsualGap(self.query(query)),
            ExprKind::MostWithin { query, within } => Node::MostWithin { query: self.query(query), within: *within },
            ExprKind::Arithmetic(op, left, right) => {
                let (left, right) = (self.expr(left), self.expr(right));
                Node::Arithmetic(*op, left, right)
            }
            ExprKind::Scale { money, numerator, denominator } => {
                Node::Scale { money: self.expr(money), numerator: *numerator, denominator: *denominator }
            }
            ExprKind::Convert(inner) => Node::Convert(self.expr(inner), expr.ty.clone()),
            ExprKind::FoldCase(inner) => Node::FoldCase(self.expr(inner)),
            ExprKind::ListLength(inner) => Node::ListLength(self.expr(inner)),
            ExprKind::Aggregate { function, measure, items, query } => {
                let measure = measure.as_ref().map(|m| (self.expr(m), m.ty.clone()));
                Node::Aggregate { function: *function, measure, items: items.clone(), query: self.query(query) }
            }
            ExprKind::Periods { unit, zone, query } => {
                Node::Periods { unit: *unit, zone: *zone, query: self.query(query) }
            }
            ExprKind::EventTime { end, query } => Node::EventTime { end: *end, n: 1, query: self.query(query) },
            ExprKind::Error => Node::Missing,
        };
        self.builder.add(node)
    }
}
