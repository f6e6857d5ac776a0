//! `opened or clicked an email`: whether verbs share what stands behind the last of them.

use super::{Lower, Lowered, Scope};
use seg_data::schema::Target;
use seg_syntax::ast::{
    Condition, Expr, Group, GroupForm, Modifier, ModifierKind, Name, Operand, OperandKind, Quantifier,
};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::names::display;

/// What verbs before one with an object are.
enum Verbs {
    /// They share it: the events of all of them as one.
    Shared(Box<Condition>),
    /// Conditions of their own.
    Own(Vec<Expr>),
    /// It cannot be told; reported.
    Unclear,
}

impl Lower<'_> {
    /// A group of verbs that stands alone.
    pub(super) fn verbs(&mut self, group: &Group, scope: Scope<'_>) -> Lowered {
        match self.verbs_of(group) {
            Verbs::Shared(condition) => self.expr_in(&Expr::Condition(condition), scope),
            Verbs::Own(members) => {
                let chain = Group { quantifier: Quantifier::Any, members, form: GroupForm::Chain, span: group.span };
                self.group(&chain, scope)
            }
            Verbs::Unclear => Lowered::error(),
        }
    }

    /// A chain in which it is known what its verbs are; `None` where that is no chain of one
    /// word, which is reported.
    pub(super) fn with_verbs_known(&mut self, group: &Group) -> Option<Group> {
        let mut members = Vec::with_capacity(group.members.len());
        for (at, member) in group.members.iter().enumerate() {
            let Expr::Group(verbs) = member else {
                members.push(member.clone());
                continue;
            };
            if verbs.form != GroupForm::Verbs {
                members.push(member.clone());
                continue;
            }
            match self.verbs_of(verbs) {
                Verbs::Shared(condition) => members.push(Expr::Condition(condition)),
                Verbs::Own(own) if group.quantifier == Quantifier::Any => members.extend(own),
                Verbs::Own(_) => {
                    self.verbs_in_chain(group, at, verbs);
                    return None;
                }
                Verbs::Unclear => return None,
            }
        }
        Some(Group { members, ..group.clone() })
    }

    fn verbs_of(&mut self, group: &Group) -> Verbs {
        let own = || Verbs::Own(group.members.clone());
        let Some((Expr::Condition(last), verbs)) = group.members.split_last() else { return own() };
        let OperandKind::Name(last_name) = &last.subject.kind else { return own() };
        let Some((_, object)) = last_name.text.split_once(' ') else { return own() };
        if !self.is_event(&last_name.text) {
            return own();
        }
        let (mut names, mut each, mut prefix) = (Vec::new(), Vec::new(), None);
        for verb in verbs {
            let Expr::Condition(c) = verb else { return own() };
            let OperandKind::Name(name) = &c.subject.kind else { return own() };
            let whole = Name { text: format!("{} {object}", name.text), ..name.clone() };
            if !self.is_event(&whole.text) {
                return own();
            }
            if self.is_called_otherwise(name, &whole) {
                return Verbs::Unclear;
            }
            prefix.get_or_insert_with(|| c.prefix.clone());
            let subject = Operand { kind: OperandKind::Name(whole.clone()), ..c.subject.clone() };
            each.push(Expr::Condition(Box::new(Condition { subject, ..(**c).clone() })));
            names.push(whole);
        }
        // A count may be of all of them or of each: that is asked as of other events.
        let is_of_all = |t: &Modifier| {
            matches!(t.kind, ModifierKind::Window(_) | ModifierKind::NotWindow(_) | ModifierKind::Where(_))
        };
        if !last.modifiers.iter().all(is_of_all) {
            each.push(Expr::Condition(last.clone()));
            return Verbs::Own(each);
        }
        let span = names.first().map_or(last_name.span, |first| first.span.to(last_name.span));
        names.push(last_name.clone());
        let subject = Operand { kind: OperandKind::Events(names), span };
        let prefix = prefix.unwrap_or_default();
        Verbs::Shared(Box::new(Condition { prefix, subject, span: group.span, ..(**last).clone() }))
    }

    fn is_event(&self, name: &str) -> bool {
        matches!(self.schema.lookup(name), [Target::Event(_) | Target::Group(_)])
    }

    /// `opened or clicked an email` where `opened` is another event than `opened an email`.
    /// Reported.
    fn is_called_otherwise(&mut self, name: &Name, whole: &Name) -> bool {
        let (alone, shared) = (self.schema.lookup(&name.text), self.schema.lookup(&whole.text));
        let ([alone], [shared]) = (alone, shared) else { return false };
        if alone == shared {
            return false;
        }
        let (alone, shared) = (self.schema.name_of(*alone).to_owned(), whole.text.clone());
        let own = format!("did {}", display(&alone));
        self.report(
            Diagnostic::new(Code::AmbiguousName, name.span, format!("`{}` fits more than one thing", name.text))
                .label(format!("`{shared}`, or `{alone}`"))
                .fix(name.span, shared.as_str(), format!("with what stands behind the next verb: `{shared}`"))
                .fix(name.span, own.as_str(), format!("for the other: `{own}`")),
        );
        true
    }

    /// `country is "DE" and ordered or viewed a product`
    fn verbs_in_chain(&mut self, group: &Group, at: usize, verbs: &Group) {
        let words = self.words(verbs.span);
        let before = at.checked_sub(1).and_then(|at| group.members.get(at));
        let beside = before.or_else(|| group.members.get(at + 1));
        let (Some(beside), Some(first), Some(last)) = (beside, verbs.members.first(), verbs.members.last()) else {
            return;
        };
        let (beside, verb) =
            (self.words(beside.span()), self.words(if before.is_some() { first } else { last }.span()));
        let others = match before.is_some() {
            true => words.strip_prefix(&verb).unwrap_or("").to_owned(),
            false => words.strip_suffix(&verb).unwrap_or("").to_owned(),
        };
        let (either, or) = match before.is_some() {
            true => (format!("{beside} and ({words})"), format!("({beside} and {verb}){others}")),
            false => (format!("({words}) and {beside}"), format!("{others}({verb} and {beside})")),
        };
        self.report(
            Diagnostic::new(Code::MixedAndOr, verbs.span, "`and` and `or` are mixed without brackets")
                .label("`or` here, `and` beside it")
                .help(format!("either `{either}`"))
                .help(format!("or `{or}`"))
                .note("`but` and `but not` count as `and`"),
        );
    }
}
