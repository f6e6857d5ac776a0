//! What the project declares: definitions and lists from files.

use crate::hir::Cond;
use crate::lower::value::comparison::{Compared, folded};
use crate::lower::{Lower, Lowered};
use crate::names::suggestion;
use seg_data::Type;
use seg_data::schema::fold_name;
use seg_syntax::ast::{self, Condition, LiteralAt, ModifierKind, Name, Relation, Title};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// How deep definitions may use definitions.
const DEFINITIONS_MAX: usize = 32;

/// How many definitions one use may write out, those within definitions as often as they are
/// used there.
const USES_MAX: usize = 1_000;

impl Lower<'_> {
    /// `home is within 25 km of …`, or a definition used by its name.
    pub(in crate::lower) fn place_or_definition(&mut self, c: &Condition, name: &Name) -> Option<Lowered> {
        if let [ast::Modifier { kind: ModifierKind::Comparison(comparison), span }] = c.modifiers.as_slice()
            && let Relation::Near(near) = &comparison.relation
        {
            return Some(self.place(c, name, (comparison, near), *span));
        }
        let is_defined = self.declared.definitions.contains_key(&fold_name(&name.text));
        if !is_defined || !self.schema.lookup(&name.text).is_empty() {
            return None;
        }
        if let Some(modifier) = c.modifiers.first() {
            let (words, rest) = (self.words(c.subject.span), self.words(modifier.span));
            self.report(
                Diagnostic::new(Code::MisplacedWords, modifier.span, format!("`{words}` is a whole condition already"))
                    .label(format!("`{rest}` does not fit a definition"))
                    .help("say it inside the definition, or join another condition with `and`")
                    .note("a definition may take values: `define \"bought in\" (period) as …`"),
            );
            return Some(Lowered::error());
        }
        let title = Title { text: name.text.clone(), span: name.span };
        let lowered = self.definition(&title, &[], name.span);
        let is_negative = self.reads_negative(c);
        Some(lowered.negated(is_negative))
    }

    /// What a definition means where it is used.
    pub(in crate::lower) fn definition(&mut self, title: &Title, values: &[LiteralAt], span: Span) -> Lowered {
        let key = fold_name(&title.text);
        let Some(definition) = self.declared.definitions.get(&key).copied() else {
            let message = format!("there is no definition \"{}\"", title.text);
            let mut diagnostic = Diagnostic::new(Code::UnknownDefinition, title.span, message).label("not defined");
            let known = self.declared.definitions.values().map(|d| d.name.text.as_str());
            diagnostic = match suggestion(&title.text, known) {
                Some(near) => diagnostic.fix(title.span, format!("\"{near}\""), format!("did you mean `\"{near}\"`?")),
                None => diagnostic.note(format!("declare it: `define \"{}\" as …`", title.text)),
            };
            self.report(diagnostic);
            return Lowered::error();
        };
        if let Some(from) = self.reading.iter().position(|r| *r == key) {
            let mut steps: Vec<String> = self.reading.iter().skip(from).map(|r| format!("\"{r}\"")).collect();
            steps.push(format!("\"{key}\""));
            self.report(
                Diagnostic::new(Code::DefinitionCycle, span, "definitions use each other in a circle")
                    .label("this use closes the circle")
                    .help("leave one of these uses out")
                    .note(steps.join(" → ")),
            );
            return Lowered::error();
        }
        self.n_written_out = if self.reading.is_empty() { 1 } else { self.n_written_out + 1 };
        if self.n_written_out > USES_MAX {
            if self.n_written_out == USES_MAX + 1 {
                self.report(
                    Diagnostic::new(Code::TooManyUses, span, "definitions that use definitions twice grow without end")
                        .label(format!("with this one, more than {USES_MAX} are written out"))
                        .help("use each of them once, or give the inner ones a segment of their own"),
                );
            }
            return Lowered::error();
        }
        if self.reading.len() >= DEFINITIONS_MAX {
            self.report(
                Diagnostic::new(Code::NestingTooDeep, span, "definitions use definitions too deeply")
                    .label(format!("more than {DEFINITIONS_MAX} in each other"))
                    .help("write the inner ones out"),
            );
            return Lowered::error();
        }
        if definition.parameters.len() != values.len() {
            let (n, m) = (definition.parameters.len(), values.len());
            let wanted: Vec<&str> = definition.parameters.iter().map(|p| p.text.as_str()).collect();
            let form = match n {
                0 => format!("\"{}\"", definition.name.text),
                _ => format!("\"{}\" ({})", definition.name.text, wanted.join(", ")),
            };
            self.report(
                Diagnostic::new(
                    Code::WrongValues,
                    span,
                    format!("\"{}\" takes {n} value{}, not {m}", definition.name.text, if n == 1 { "" } else { "s" }),
                )
                .label(format!("{m} here"))
                .note(format!("it is `{form}`, with a value for each name")),
            );
            return Lowered::error();
        }
        // A value may be a value of the definition around this one.
        let bound = definition.parameters.iter().zip(values);
        let bound = bound.map(|(p, v)| (fold_name(&p.text), v.clone())).collect();
        let outer = std::mem::replace(&mut self.parameters, bound);
        self.reading.push(key);
        let n_before = self.diagnostics.len();
        let lowered = self.expr(&definition.body).alone();
        self.reading.pop();
        self.parameters = outer;
        if !self.reading.is_empty() {
            return lowered;
        }
        // A problem inside shows at the definition, which may be read often.
        let found = self.diagnostics.split_off(n_before.min(self.diagnostics.len()));
        for diagnostic in found {
            if self.in_definitions.insert((diagnostic.primary.span, diagnostic.code.number())) {
                self.diagnostics.push(diagnostic);
            }
        }
        lowered
    }

    /// The value that stands for a name inside a definition.
    pub(in crate::lower) fn parameter(&self, name: &Name) -> Option<&LiteralAt> {
        let key = fold_name(&name.text);
        self.parameters.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// `email is in list "vip"`
    pub(in crate::lower) fn in_list(&mut self, left: &Compared<'_>, title: &Title, fold: bool) -> Option<Cond> {
        let declared = self.declared;
        let Some(list) = declared.lists.get(&title.text) else {
            let message = format!("there is no list \"{}\"", title.text);
            let mut diagnostic = Diagnostic::new(Code::UnknownList, title.span, message).label("not declared");
            diagnostic = match suggestion(&title.text, self.declared.lists.keys().map(String::as_str)) {
                Some(near) => diagnostic.fix(title.span, format!("\"{near}\""), format!("did you mean `\"{near}\"`?")),
                None => diagnostic.note(format!("declare it: `list \"{}\" from \"lists/….csv\"`", title.text)),
            };
            self.report(diagnostic);
            return None;
        };
        if left.value.ty != Type::Text {
            let words = self.words(left.span);
            self.report(
                Diagnostic::new(
                    Code::OperatorNeedsType,
                    left.span,
                    format!("lists hold texts, and `{words}` is {}", left.value.ty.one()),
                )
                .label("not a text")
                .help("compare a text with a list, such as an email or an id"),
            );
            return None;
        }
        Some(match fold {
            true => Cond::InList(folded(left.value.clone()), list.folded().clone()),
            false => Cond::InList(left.value.clone(), list.plain.clone()),
        })
    }
}
