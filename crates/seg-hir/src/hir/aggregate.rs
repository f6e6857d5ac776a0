//! The aggregate functions, and what holds of each.

use seg_data::Type;

/// The aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// How many events.
    Count,
    /// How many different values, missing ones aside.
    CountDifferent,
    /// The sum; 0 over no events.
    Total,
    /// The mean; missing over no values.
    Average,
    /// The least; missing over no values.
    Smallest,
    /// The greatest; missing over no values.
    Largest,
    /// The one that is there most often; of several the one seen last.
    MostFrequent,
}

impl Aggregate {
    /// Whether it takes values of every type, where the others take numbers.
    pub fn takes_any(self) -> bool {
        match self {
            Aggregate::CountDifferent | Aggregate::MostFrequent => true,
            Aggregate::Count | Aggregate::Total | Aggregate::Average | Aggregate::Smallest | Aggregate::Largest => {
                false
            }
        }
    }

    /// The type of what it makes of values of a type.
    pub fn result(self, of: &Type) -> Type {
        match (self, of) {
            (Aggregate::Count | Aggregate::CountDifferent, _) => Type::Integer,
            (Aggregate::Average, Type::Integer) => Type::Number,
            (Aggregate::Average, ty) => ty.clone(),
            (Aggregate::Total | Aggregate::Smallest | Aggregate::Largest | Aggregate::MostFrequent, ty) => ty.clone(),
        }
    }

    /// Whether it is a number of events or values, which is there over none and never
    /// below 0.
    pub fn is_count(self) -> bool {
        match self {
            Aggregate::Count | Aggregate::CountDifferent => true,
            Aggregate::Total
            | Aggregate::Average
            | Aggregate::Smallest
            | Aggregate::Largest
            | Aggregate::MostFrequent => false,
        }
    }

    /// Whether it is missing over no values.
    pub fn may_be_missing(self) -> bool {
        match self {
            Aggregate::Average | Aggregate::Smallest | Aggregate::Largest | Aggregate::MostFrequent => true,
            Aggregate::Count | Aggregate::CountDifferent | Aggregate::Total => false,
        }
    }

    /// Whether the order of the values matters, whatever their type.
    pub fn is_ordered(self) -> bool {
        match self {
            Aggregate::MostFrequent => true,
            Aggregate::Count
            | Aggregate::CountDifferent
            | Aggregate::Total
            | Aggregate::Average
            | Aggregate::Smallest
            | Aggregate::Largest => false,
        }
    }
}
