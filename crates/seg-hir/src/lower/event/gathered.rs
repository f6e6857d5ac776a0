//! Several events in any order: each once, from the first of them on.

use super::sequence::{Row, STEPS_MAX};
use crate::hir::{Chain, ChainOrder, ChainStep, Cond};
use crate::lower::Lower;
use seg_syntax::ast::{self, Condition, Duration, Modifier, ModifierKind, Name, OperandKind, WithinOf};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    /// `did all of (A, B, C) in any order, all within 14 days`
    pub(super) fn any_order<'t>(&mut self, c: &'t Condition, said: &Modifier) -> Option<Row<'t>> {
        let OperandKind::Events(names) = &c.subject.kind else {
            self.words_of_sequences(said);
            return None;
        };
        if names.len() > STEPS_MAX {
            self.report(
                Diagnostic::new(Code::TooManySteps, c.subject.span, "too many events in a row")
                    .label(format!("at most {STEPS_MAX}"))
                    .help("make two conditions of it, joined with `and`"),
            );
            return None;
        }
        let (mut whole, mut same, mut of_whole) = (None, Vec::new(), Vec::new());
        for modifier in &c.modifiers {
            match &modifier.kind {
                ModifierKind::AnyOrder => self.reads(modifier.span),
                ModifierKind::Within(ast::Within { of: WithinOf::All, length }) if whole.is_none() => {
                    whole = Some((*length, modifier.span));
                }
                ModifierKind::Within(ast::Within { of: WithinOf::Step, .. }) => {
                    let words = self.words(modifier.span);
                    self.report(
                        Diagnostic::new(
                            Code::MisplacedWords,
                            modifier.span,
                            format!("is `{words}` said of all of them?"),
                        )
                        .label("all of them, or one after another?")
                        .fix(
                            modifier.span,
                            format!("all {words}"),
                            format!("for all of them: `all {words}`"),
                        ),
                    );
                    return None;
                }
                ModifierKind::Same(name) => same.push((name, modifier.span)),
                ModifierKind::AllIn(window) => {
                    of_whole.push(Modifier { kind: ModifierKind::Window(window.clone()), span: modifier.span });
                }
                ModifierKind::Window(_)
                | ModifierKind::Count(_)
                | ModifierKind::DifferentPeriods(..)
                | ModifierKind::Regular(..)
                | ModifierKind::CountPer(..) => of_whole.push(modifier.clone()),
                ModifierKind::Comparison(_)
                | ModifierKind::NotWindow(_)
                | ModifierKind::Where(_)
                | ModifierKind::Had(_)
                | ModifierKind::FirstTime
                | ModifierKind::Then(_)
                | ModifierKind::Followed(_)
                | ModifierKind::NoneBetween(_)
                | ModifierKind::Within(_)
                | ModifierKind::Limit(_)
                | ModifierKind::Recurring(_)
                | ModifierKind::NotRecurring(_)
                | ModifierKind::Zone(_)
                | ModifierKind::Past(_) => {
                    self.words_of_sequences(modifier);
                    return None;
                }
            }
        }
        let chain = self.gathered(names, whole, &same, &of_whole)?;
        Some(Row { at: 0, of_whole, chain: Some(chain), followed: Vec::new() })
    }

    /// Events of some names, each once, from the event at hand on.
    fn gathered(
        &mut self,
        names: &[Name],
        whole: Option<(Duration, Span)>,
        same: &[(&Name, Span)],
        of_whole: &[Modifier],
    ) -> Option<Cond> {
        let (mut steps, mut events) = (Vec::with_capacity(names.len()), Vec::new());
        for name in names {
            let of_step = self.resolve_events(std::slice::from_ref(name))?;
            events.extend(&of_step);
            let mut query = self.query(of_step);
            for modifier in of_whole {
                if let ModifierKind::Window(window) = &modifier.kind {
                    self.narrow_by_window(&mut query, window, modifier.span)?;
                }
            }
            steps.push(ChainStep { query, within: None, none_between: None });
        }
        let whole = self.length_said(whole)?;
        let same = self.same(same, &events)?;
        Some(Cond::Chain(Box::new(Chain { order: ChainOrder::Any, steps, whole, same })))
    }
}
