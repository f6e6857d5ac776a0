//! What is said of values as fields of a schema: attributes and properties.

use super::RemarkKind;
use super::read::{Reader, Spot};
use super::shape::{Format, Kinds, Listed, Shape};
use crate::infer::column::is_named_for_money;
use seg_data::schema::{Field, is_name};
use seg_data::{Decimal, Element, Type};

/// A field, and where it is described.
pub(super) struct Described<'p> {
    pub field: Field,
    pub spot: Spot<'p>,
}

impl Reader {
    /// The fields of an object, those of objects inside it under dotted names; in an object
    /// that may be missing nothing is required.
    pub fn fields<'p>(&mut self, shape: &Shape<'p>, prefix: &str, is_required: bool, out: &mut Vec<Described<'p>>) {
        for property in &shape.properties {
            let name = match prefix.is_empty() {
                true => property.name.clone(),
                false => format!("{prefix}.{}", property.name),
            };
            self.field(name, &property.shape, is_required && property.is_required, out);
        }
    }

    fn field<'p>(&mut self, name: String, shape: &Shape<'p>, is_required: bool, out: &mut Vec<Described<'p>>) {
        let spot = &shape.spot;
        let shown = name.escape_debug().to_string();
        if !is_name(&name) {
            let rule = "a name has at least one character, none of them invisible, and no space at its ends";
            return self.problem(spot, format!("`{shown}` cannot be a name: {rule}"));
        }
        let is_nullable = shape.kinds.is_some_and(|kinds| kinds.has(Kinds::NULL));
        if shape.is_object() && shape.hints.ty.is_none() && !shape.is_endless {
            if shape.properties.is_empty() {
                let message = format!("`{shown}` is an object whose properties have no names, and was left out");
                return self.remark(RemarkKind::LeftOut, spot, message);
            }
            if shape.description.is_some() {
                let message =
                    format!("the description of `{shown}` was left out, for its properties stand in its place");
                self.remark(RemarkKind::LeftOut, spot, message);
            }
            return self.fields(shape, &name, is_required && !is_nullable, out);
        }
        let Some(ty) = self.ty(&name, shape, false) else { return };
        if is_required && is_nullable {
            let message = format!("`{shown}` is required and may be null, so that it is not `required` here");
            self.remark(RemarkKind::ReadAs, spot, message);
        }
        let title = shape.title.as_ref().filter(|title| **title != name);
        if let (Some(title), Some(_)) = (title, &shape.description) {
            let message = format!("the title `{}` was left out, for there is a description", title.escape_debug());
            self.remark(RemarkKind::LeftOut, spot, message);
        }
        let field = Field {
            also: shape.hints.also.clone(),
            description: shape.description.clone().or_else(|| title.cloned()),
            is_required: is_required && !is_nullable,
            recurring: shape.hints.recurring,
            keeps_history: shape.hints.history == Some(true),
            allowed: self.allowed(&name, shape, &ty),
            declared_at: 0..0,
            name,
            ty,
        };
        out.push(Described { field, spot: spot.clone() });
    }

    /// The type of a value; none where it cannot be said, which was told.
    fn ty(&mut self, name: &str, shape: &Shape<'_>, is_in_record: bool) -> Option<Type> {
        let (spot, shown) = (&shape.spot, name.escape_debug().to_string());
        if shape.is_endless {
            self.remark(RemarkKind::LeftOut, spot, format!("`{shown}` holds itself again and again, and was left out"));
            return None;
        }
        if let Some(said) = &shape.hints.ty {
            let items = shape.items.as_deref();
            return match Type::parse(said) {
                Some(ty) => Some(ty),
                None if said == "list of records" => Some(Type::Records(self.record_fields(name, items))),
                None => {
                    self.problem(spot, format!("`{}` is not a type of Seg", said.escape_debug()));
                    None
                }
            };
        }
        let kinds = shape.kinds.map(|kinds| kinds.without(Kinds::NULL)).or_else(|| implied(shape));
        let Some(kinds) = kinds.filter(|kinds| *kinds != Kinds::NONE) else {
            self.remark(RemarkKind::ReadAs, spot, format!("no type is said of `{shown}`, which is read as text"));
            return Some(Type::Text);
        };
        match kinds {
            Kinds::TEXT => Some(self.text_type(name, shape)),
            Kinds::BOOLEAN => Some(Type::Boolean),
            Kinds::INTEGER => {
                self.left_out_step(shape);
                Some(Type::Integer)
            }
            Kinds::LIST => self.list_type(name, shape, is_in_record),
            Kinds::OBJECT => {
                self.remark(
                    RemarkKind::LeftOut,
                    spot,
                    format!("`{shown}` is an object inside a record, and was left out"),
                );
                None
            }
            numbers if numbers.without(Kinds::NUMBER.or(Kinds::INTEGER)) == Kinds::NONE => {
                Some(self.number_type(name, shape))
            }
            several if several.has(Kinds::LIST.or(Kinds::OBJECT)) => {
                self.remark(RemarkKind::LeftOut, spot, format!("`{shown}` may be {several}, and was left out"));
                None
            }
            several => {
                self.remark(RemarkKind::ReadAs, spot, format!("`{shown}` may be {several}, and is read as text"));
                Some(Type::Text)
            }
        }
    }

    fn text_type(&mut self, name: &str, shape: &Shape<'_>) -> Type {
        match &shape.format {
            Some(Format::DateTime) => Type::Timestamp,
            Some(Format::Date) => Type::Date,
            Some(Format::Other(format)) => {
                let (format, name) = (format.escape_debug(), name.escape_debug());
                let message = format!("the format `{format}` of `{name}` is not looked at: it is read as any text");
                self.remark(RemarkKind::LeftOut, &shape.spot, message);
                Type::Text
            }
            None => Type::Text,
        }
    }

    /// Numbers are amounts of money where they have so many places as money and a name for
    /// it; a weight has places too.
    fn number_type(&mut self, name: &str, shape: &Shape<'_>) -> Type {
        let shown = name.escape_debug();
        let is_amount = is_named_for_money(name);
        let step = shape.multiple_of.as_ref().and_then(|digits| Decimal::parse(digits));
        if step.is_some_and(|step| step.whole().is_ok()) {
            self.left_out_step(shape);
            return Type::Integer;
        }
        let is_place = |digits: &String| ["0.1", "0.01", "0.001", "0.0001"].contains(&digits.trim_end_matches('0'));
        match &shape.multiple_of {
            Some(digits) if is_place(digits) && is_amount => return Type::Money,
            Some(digits) if is_place(digits) => {
                let message = format!(
                    "`{shown}` is a multiple of {digits}, and by its name no amount: it is a `number`; say `money` if it is one"
                );
                self.remark(RemarkKind::Advice, &shape.spot, message);
            }
            Some(_) => self.left_out_step(shape),
            None if is_amount => {
                let message = format!(
                    "`{shown}` is a `number`; say `money` if it is an amount, which is exact and has at most four places"
                );
                self.remark(RemarkKind::Advice, &shape.spot, message);
            }
            None => {}
        }
        Type::Number
    }

    /// Tells of a `multipleOf` that a type does not say.
    fn left_out_step(&mut self, shape: &Shape<'_>) {
        if let Some(digits) = shape.multiple_of.as_ref().filter(|digits| !matches!(digits.as_str(), "1" | "1.0")) {
            let message = format!("a schema has no word for `multipleOf` {digits}");
            self.remark(RemarkKind::LeftOut, &shape.spot, message);
        }
    }

    fn list_type(&mut self, name: &str, shape: &Shape<'_>, is_in_record: bool) -> Option<Type> {
        let shown = name.escape_debug();
        let Some(items) = shape.items.as_deref() else {
            let message = format!("nothing is said of what the list `{shown}` holds, which is read as texts");
            self.remark(RemarkKind::ReadAs, &shape.spot, message);
            return Some(Type::List(Element::Text));
        };
        if items.is_endless {
            return self.ty(name, items, is_in_record);
        }
        if items.is_object() {
            // Of the fields of records only the types are said, and so none of records in them.
            let fields = match is_in_record {
                true if items.properties.is_empty() => Vec::new(),
                true => {
                    let message = format!("what the records of `{shown}` hold, inside other records, was left out");
                    self.remark(RemarkKind::LeftOut, &items.spot, message);
                    Vec::new()
                }
                false => self.record_fields(name, Some(items)),
            };
            return Some(Type::Records(fields));
        }
        let kinds = items.kinds.map(|kinds| kinds.without(Kinds::NULL));
        if kinds.is_some_and(|kinds| kinds.has(Kinds::LIST.or(Kinds::OBJECT))) {
            let message = format!("`{shown}` is a list of lists or of values of several kinds, and was left out");
            self.remark(RemarkKind::LeftOut, &items.spot, message);
            return None;
        }
        let element = match self.ty(name, items, is_in_record)? {
            Type::Integer => Element::Integer,
            Type::Number => Element::Number,
            Type::Timestamp => Element::Timestamp,
            Type::Text => Element::Text,
            Type::Money => {
                let message =
                    format!("`{shown}` is a list of amounts, of which there are none: it is a list of numbers");
                self.remark(RemarkKind::ReadAs, &items.spot, message);
                Element::Number
            }
            other @ (Type::Boolean | Type::Date | Type::List(_) | Type::Duration | Type::Records(_)) => {
                let message =
                    format!("`{shown}` is a list of {other} values, of which there are none: it is a list of texts");
                self.remark(RemarkKind::ReadAs, &items.spot, message);
                Element::Text
            }
        };
        Some(Type::List(element))
    }

    fn record_fields(&mut self, name: &str, items: Option<&Shape<'_>>) -> Vec<(String, Type)> {
        let mut fields: Vec<(String, Type)> = Vec::new();
        for property in items.iter().flat_map(|items| &items.properties) {
            let (own, shape) = (&property.name, &property.shape);
            let whole = format!("{name}.{own}");
            if !is_name(own) {
                self.problem(&shape.spot, format!("`{}` cannot be a name", own.escape_debug()));
                continue;
            }
            let lost = [
                (property.is_required, "that it is required"),
                (shape.listed.is_some(), "which values it has"),
                (shape.description.is_some() || shape.title.is_some(), "its description"),
            ];
            let lost: Vec<&str> = lost.iter().filter(|(is_said, _)| *is_said).map(|(_, what)| *what).collect();
            if !lost.is_empty() {
                let message = format!(
                    "of the field `{}` of records only the type is said; left out was {}",
                    whole.escape_debug(),
                    lost.join(", and ")
                );
                self.remark(RemarkKind::LeftOut, &shape.spot, message);
            }
            fields.extend(self.ty(&whole, shape, true).map(|ty| (own.clone(), ty)));
        }
        fields
    }

    /// The texts that a value may be.
    fn allowed(&mut self, name: &str, shape: &Shape<'_>, ty: &Type) -> Option<Vec<String>> {
        let of_items = shape.items.as_deref().and_then(|items| items.listed.as_ref());
        let listed = if *ty == Type::List(Element::Text) { of_items } else { shape.listed.as_ref() }?;
        let texts = listed.iter().filter_map(|value| match value {
            Listed::Text(text) => Some(text.clone()),
            Listed::Other(_) => None,
        });
        let texts: Vec<String> = texts.collect();
        let n_others = listed.iter().filter(|value| !matches!(value, Listed::Text(_))).count();
        let has_null = listed.contains(&Listed::Other("null".to_owned()));
        let is_text = matches!(ty, Type::Text | Type::List(Element::Text));
        if is_text && n_others == usize::from(has_null) {
            return Some(texts);
        }
        let (name, n) = (name.escape_debug(), listed.len());
        let message = match n {
            1 => format!("that `{name}` has one value only was left out: `allowed` lists texts"),
            _ => format!("which {n} values `{name}` may have was left out: `allowed` lists texts"),
        };
        // That a flag is true or false says no more than its type.
        if *ty != Type::Boolean || n < 2 {
            self.remark(RemarkKind::LeftOut, &shape.spot, message);
        }
        None
    }
}

/// The kind of a value of which only other things are said.
fn implied(shape: &Shape<'_>) -> Option<Kinds> {
    if !shape.properties.is_empty() {
        Some(Kinds::OBJECT)
    } else if shape.items.is_some() {
        Some(Kinds::LIST)
    } else if shape.multiple_of.is_some() {
        Some(Kinds::NUMBER)
    } else {
        shape.format.as_ref().map(|_| Kinds::TEXT)
    }
}
