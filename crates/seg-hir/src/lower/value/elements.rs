//! The items of a person's list: `any of scores is more than 5`.

use super::comparison::Compared;
use crate::hir::{Cond, Expr, ExprKind};
use crate::lower::{Elements, Lower, Lowered, Scope};
use seg_data::schema::{Target, fold_name};
use seg_data::{AttributeId, Type};
use seg_syntax::ast::{
    self, Comparison, Condition, Group, Modifier, ModifierKind, Name, Negative, OperandKind, Quantifier, Relation,
};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// What is said of the items of a list.
struct Said {
    filter: Cond,
    or_unknown: Option<Span>,
    is_comparison: bool,
}

impl Elements {
    /// A field of the record at hand.
    pub(in crate::lower) fn field(&self, name: &Name) -> Option<Expr> {
        let fits = |(known, _): &(String, Type)| fold_name(known) == fold_name(&name.text);
        let at = self.fields.iter().position(fits)?;
        let (_, ty) = self.fields.get(at)?;
        let kind = ExprKind::Element { list: self.list, field: Some(u32::try_from(at).ok()?) };
        Some(Expr { kind, ty: ty.clone(), may_be_missing: true })
    }
}

impl Lower<'_> {
    /// The attribute of a name, where it is a list of values or of records.
    pub(in crate::lower) fn list_of_person(&self, name: &Name) -> Option<(AttributeId, Type)> {
        let [Target::Attribute(id)] = self.schema.lookup(&name.text) else { return None };
        let ty = &self.schema.attribute(*id)?.ty;
        matches!(ty, Type::List(_) | Type::Records(_)).then(|| (*id, ty.clone()))
    }

    /// `any of scores is more than 5`, `none of pets have (kind is "dog")`
    pub(in crate::lower) fn elements(
        &mut self,
        c: &Condition,
        quantifier: Quantifier,
        name: &Name,
        (list, ty): (AttributeId, Type),
    ) -> Lowered {
        let [Modifier { kind, span }] = c.modifiers.as_slice() else {
            self.nothing_said_of_elements(c, name, &ty);
            return Lowered::error();
        };
        let (filter, or_unknown) = match (kind, &ty) {
            (ModifierKind::Comparison(comparison), Type::List(element)) => {
                (self.said_of_item(c, list, element.ty(), (comparison, *span)), comparison.or_unknown)
            }
            (ModifierKind::Had(filter), Type::Records(fields)) => {
                let elements = Elements { list, fields: fields.clone() };
                (self.expr_in(filter, Scope::Element(&elements)).cond, None)
            }
            _ => {
                self.nothing_said_of_elements(c, name, &ty);
                return Lowered::error();
            }
        };
        self.reads(*span);
        let said = Said { filter, or_unknown, is_comparison: matches!(kind, ModifierKind::Comparison(_)) };
        self.quantified(c, quantifier, name, (list, ty), said)
    }

    /// A comparison of the item at hand. An item that is null is none, so that each has a
    /// value.
    fn said_of_item(&mut self, c: &Condition, list: AttributeId, ty: Type, said: (&Comparison, Span)) -> Cond {
        let (comparison, span) = said;
        let value = Expr { kind: ExprKind::Element { list, field: None }, ty, may_be_missing: false };
        let own = Comparison { or_unknown: None, ..comparison.clone() };
        let compared = Compared { value, span: c.subject.span, scope: Scope::Person };
        self.comparison(compared, &own, c.subject.span.to(span)).cond
    }

    /// `any of scores is more than 5 and less than 9`: of one item, not of one and another.
    pub(in crate::lower) fn compared_elements(&mut self, group: &Group, conditions: &[&Condition]) -> Option<Lowered> {
        let first = *conditions.first()?;
        let OperandKind::Items(quantifier, name) = &first.subject.kind else { return None };
        let (list, ty) = self.list_of_person(name)?;
        let Type::List(element) = ty else { return None };
        let mut compared: Vec<(&Condition, &Comparison, Span)> = Vec::with_capacity(conditions.len());
        for c in conditions {
            let [Modifier { kind: ModifierKind::Comparison(comparison), span }] = c.modifiers.as_slice() else {
                return None;
            };
            compared.push((c, comparison, *span));
        }
        let (ty, quantifier) = (element.ty(), *quantifier);
        Some(self.whole(conditions, |lower| {
            lower.compared_of_one(group, quantifier, name, (list, Type::List(element), ty), &compared)
        }))
    }

    /// What is said of one item, or of each.
    fn compared_of_one(
        &mut self,
        group: &Group,
        quantifier: Quantifier,
        name: &Name,
        (list, of_list, ty): (AttributeId, Type, Type),
        compared: &[(&Condition, &Comparison, Span)],
    ) -> Lowered {
        let Some((first, ..)) = compared.first() else { return Lowered::error() };
        let (mut filters, mut or_unknown) = (Vec::with_capacity(compared.len()), None);
        for (c, comparison, span) in compared {
            or_unknown = or_unknown.or(comparison.or_unknown);
            filters.push(self.said_of_item(c, list, ty.clone(), (comparison, *span)));
            self.reads(*span);
        }
        let filter = match group.quantifier {
            Quantifier::Any => Cond::any(filters),
            Quantifier::All | Quantifier::None | Quantifier::Cardinality { .. } => Cond::all(filters),
        };
        let whole = Condition { span: group.span, ..(*first).clone() };
        let said = Said { filter, or_unknown, is_comparison: true };
        self.quantified(&whole, quantifier, name, (list, of_list), said)
    }

    /// So many of the items are as asked.
    fn quantified(
        &mut self,
        c: &Condition,
        quantifier: Quantifier,
        name: &Name,
        (list, ty): (AttributeId, Type),
        said: Said,
    ) -> Lowered {
        let Said { filter, or_unknown, is_comparison } = said;
        // `no pets have (…)`: none of them.
        let says_no = matches!(c.prefix.negative, Some((Negative::No, _)));
        let quantifier = if says_no && quantifier == Quantifier::Any { Quantifier::None } else { quantifier };
        let is_negative = self.reads_negative(c) && !says_no;
        let may_be_missing = self.attribute(list).may_be_missing;
        let is_known = self.is_list_known(list, &ty);
        let is_said = self.known_lists.contains(&fold_name(&name.text));
        let all_or_any = |is_all| Cond::Elements { is_all, list, filter: Box::new(filter.clone()) };
        let cond = match quantifier {
            Quantifier::Any => all_or_any(false),
            Quantifier::All | Quantifier::None | Quantifier::Cardinality { .. } => {
                if may_be_missing && or_unknown.is_none() && !is_said {
                    self.elements_of_missing(c, name, is_comparison);
                    return Lowered::error();
                }
                match quantifier {
                    Quantifier::All => all_or_any(true),
                    _ => Cond::all(vec![is_known.clone(), all_or_any(false).negate()]),
                }
            }
        };
        let cond = match or_unknown {
            Some(said) => {
                self.reads(said);
                Cond::any(vec![cond, is_known.negate()])
            }
            None => cond,
        };
        Lowered::plain(cond).negated(is_negative)
    }

    /// Whether somebody has a list, if an empty one.
    fn is_list_known(&self, list: AttributeId, ty: &Type) -> Cond {
        match ty {
            // Records have no value of their own; whatever is asked of all of none is so.
            Type::Records(_) => Cond::Elements { is_all: true, list, filter: Box::new(Cond::Const(true)) },
            _ => Cond::Known(self.attribute(list)),
        }
    }

    /// `pets are known`, `pets are not empty`: what is said of a list of records as a whole;
    /// `None` for anything else.
    pub(in crate::lower) fn records_as_whole(
        &mut self,
        c: &Condition,
        list: AttributeId,
        ty: &Type,
    ) -> Option<Lowered> {
        let [Modifier { kind: ModifierKind::Comparison(comparison), span }] = c.modifiers.as_slice() else {
            return None;
        };
        let has_any = || Cond::Elements { is_all: false, list, filter: Box::new(Cond::Const(true)) };
        let is_known = self.is_list_known(list, ty);
        let cond = match &comparison.relation {
            Relation::Known => is_known,
            Relation::Missing => is_known.negate(),
            Relation::Empty(ast::Emptiness::Empty) if comparison.not.is_none() => {
                Cond::all(vec![is_known, has_any().negate()])
            }
            Relation::Empty(ast::Emptiness::Empty | ast::Emptiness::MissingOrEmpty) => has_any().negate(),
            Relation::Empty(ast::Emptiness::SetAndNotEmpty) => has_any(),
            _ => return None,
        };
        self.reads(*span);
        let is_negative = comparison.not.is_some() != self.reads_negative(c);
        Some(Lowered::plain(cond).negated(is_negative))
    }

    /// `all of scores is more than 5`, of people without any: are they meant too?
    fn elements_of_missing(&mut self, c: &Condition, name: &Name, is_comparison: bool) {
        let (list, words, quantifier) = (self.words(name.span), self.words(c.span), self.words(c.subject.span));
        let words = ["whose ", "who ", "with "].iter().find_map(|lead| words.strip_prefix(lead)).unwrap_or(&words);
        let with = match is_comparison {
            true => format!("{words} or unknown"),
            false => format!("({list} are missing or {words})"),
        };
        let message = format!("`{list}` may be missing, so `{quantifier}` could mean two things");
        self.report(
            Diagnostic::new(Code::NegativeOnMissing, c.subject.span, message)
                .label("are people without a list meant too?")
                .help(format!("without them: `{list} are known and {words}`"))
                .help(format!("with them: `{with}`"))
                .note("of an empty list it is true"),
        );
    }

    fn nothing_said_of_elements(&mut self, c: &Condition, name: &Name, ty: &Type) {
        let (list, words) = (self.words(name.span), self.words(c.subject.span));
        let diagnostic = Diagnostic::new(Code::NeedsComparison, c.span, format!("what is said of `{words}`?"));
        self.report(match ty {
            Type::Records(fields) => {
                let field = fields.first().map_or("kind", |(name, _)| name.as_str());
                diagnostic
                    .label("they are records")
                    .help(format!("say it of their fields: `any of {list} has ({field} is known)`"))
            }
            _ => diagnostic.label("they are values").note(format!("compare them as one: `any of {list} is …`")),
        });
    }

    /// The lists of which a row says beside others that they are known, or where any will
    /// do that they are missing.
    pub(in crate::lower) fn lists_said_beside(&self, group: &Group) -> Vec<String> {
        let said = |member: &ast::Expr| {
            let ast::Expr::Condition(c) = member else { return None };
            let (OperandKind::Name(name), [Modifier { kind: ModifierKind::Comparison(comparison), .. }]) =
                (&c.subject.kind, c.modifiers.as_slice())
            else {
                return None;
            };
            let is_said = match (&comparison.relation, group.quantifier) {
                (Relation::Known, Quantifier::All) | (Relation::Missing, Quantifier::Any) => true,
                (Relation::Empty(emptiness), Quantifier::All) => *emptiness == ast::Emptiness::SetAndNotEmpty,
                (Relation::Empty(emptiness), Quantifier::Any) => *emptiness == ast::Emptiness::MissingOrEmpty,
                _ => false,
            };
            let is_plain = comparison.not.is_none() && c.prefix.negative.is_none();
            (is_said && is_plain && self.list_of_person(name).is_some()).then(|| fold_name(&name.text))
        };
        group.members.iter().filter_map(said).collect()
    }
}
