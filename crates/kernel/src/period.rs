//! Periods of figures over time (G-6.2.4).

use jiff::civil::Date;

/// 统计周期
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Period {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            "year" => Self::Year,
            _ => return None,
        })
    }

    /// What the period of a day is called, with its first and last day. Weeks are those of
    /// GB/T 7408: from Monday, the first one being that of the year's first Thursday.
    pub(crate) fn of(self, day: Date) -> Option<(String, Date, Date)> {
        let (first, name) = match self {
            Self::Day => (day, day.to_string()),
            Self::Week => {
                let week = day.iso_week_date();
                let monday = week.first_of_week().ok()?.date();
                (monday, format!("{}-W{:02}", week.year(), week.week()))
            }
            Self::Month => (day.first_of_month(), day.strftime("%Y-%m").to_string()),
            Self::Quarter => {
                let quarter = (day.month() - 1) / 3;
                let first = Date::new(day.year(), quarter * 3 + 1, 1).ok()?;
                (first, format!("{}-Q{}", day.year(), quarter + 1))
            }
            Self::Year => (day.first_of_year(), day.year().to_string()),
        };
        let next = match self {
            Self::Day => first.tomorrow().ok()?,
            Self::Week => first.checked_add(jiff::Span::new().days(7)).ok()?,
            Self::Month => first.checked_add(jiff::Span::new().months(1)).ok()?,
            Self::Quarter => first.checked_add(jiff::Span::new().months(3)).ok()?,
            Self::Year => first.checked_add(jiff::Span::new().years(1)).ok()?,
        };
        Some((name, first, next.yesterday().ok()?))
    }
}
