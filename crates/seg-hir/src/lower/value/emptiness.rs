//! Lists without items, and texts, of which none is empty.

use super::comparison::Compared;
use crate::hir::{CompareOp, Cond, Expr, ExprKind};
use crate::lower::{Lower, Lowered};
use seg_data::{Type, Value};
use seg_syntax::ast::{Comparison, Emptiness};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    /// `tags are empty`, `tags are missing or empty`, `note is set and not empty`. What is
    /// not empty is there, so that the negative leaves nothing open.
    pub(super) fn emptiness(
        &mut self,
        left: &Compared<'_>,
        emptiness: Emptiness,
        comparison: &Comparison,
        span: Span,
    ) -> Lowered {
        let is_known = || Cond::Known(left.value.clone());
        let says_not = comparison.not.is_some() || emptiness == Emptiness::SetAndNotEmpty;
        let cond = match (&left.value.ty, says_not) {
            (Type::List(_), _) => {
                let length = Expr {
                    kind: ExprKind::ListLength(Box::new(left.value.clone())),
                    ty: Type::Integer,
                    may_be_missing: left.value.may_be_missing,
                };
                let compared = |op| Cond::Compare(op, length, Expr::literal(Value::Integer(0), Type::Integer));
                match (says_not, emptiness) {
                    (true, _) => compared(CompareOp::Greater),
                    (false, Emptiness::MissingOrEmpty) => compared(CompareOp::Greater).negate(),
                    (false, Emptiness::Empty | Emptiness::SetAndNotEmpty) => compared(CompareOp::Equal),
                }
            }
            // A text of no characters is missing, whatever the data comes as.
            (Type::Text, true) => is_known(),
            (Type::Text, false) => is_known().negate(),
            _ => {
                let subject = self.words(left.span);
                let (words, not) = (self.words(span), if says_not { "known" } else { "missing" });
                let ty = left.value.ty.one();
                self.report(
                    Diagnostic::new(
                        Code::OperatorNeedsType,
                        span,
                        format!("`empty` fits lists and texts, and `{subject}` is {ty}"),
                    )
                    .label(format!("said of {ty}"))
                    .fix(
                        span,
                        format!("{subject} is {not}"),
                        format!("instead of `{words}` write `{subject} is {not}`"),
                    ),
                );
                return Lowered::error();
            }
        };
        // `are empty or unknown`
        let adds_missing = comparison.or_unknown.filter(|_| matches!(left.value.ty, Type::List(_)));
        let cond = match (adds_missing, emptiness) {
            (Some(or_unknown), Emptiness::Empty | Emptiness::SetAndNotEmpty) => {
                self.reads(or_unknown);
                Cond::any(vec![cond, is_known().negate()])
            }
            (_, Emptiness::Empty | Emptiness::MissingOrEmpty | Emptiness::SetAndNotEmpty) => cond,
        };
        Lowered::plain(cond)
    }
}
