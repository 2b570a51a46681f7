//! 纳入与移出范围 (D-7.2.1): from which day a class belongs to the traceability system, and from
//! which day no longer. Pure.

use jiff::civil::Date;

/// The days on which a class belongs to the traceability system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// First day.
    pub(crate) from: Date,
    /// First day on which it no longer does; open where nobody has taken it out.
    pub(crate) until: Option<Date>,
}

impl Span {
    /// Whether the class belongs on a day.
    pub(crate) fn holds(self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|until| day < until)
    }

    /// Taken out from a day on, decided today; or why not.
    pub(crate) fn taken_out(self, day: Date, today: Date) -> Result<Self, String> {
        if let Some(until) = self.until {
            return Err(format!("该分类已定于 {until} 起移出范围"));
        }
        if day < today {
            return Err(format!("移出日期不能早于今天（{today}）"));
        }
        if day < self.from {
            return Err(format!("移出日期不能早于纳入日期 {}", self.from));
        }
        Ok(Self { until: Some(day), ..self })
    }

    /// Taken in again from a day on, decided today; or why not.
    pub(crate) fn taken_in(self, day: Date, today: Date) -> Result<Self, String> {
        let Some(until) = self.until else {
            return Err(String::from("该分类没有移出范围，无需再纳入"));
        };
        if day < today {
            return Err(format!("纳入日期不能早于今天（{today}）"));
        }
        if day <= until {
            // Back before it was out: it was never out.
            return Ok(Self { until: None, ..self });
        }
        if today < until {
            return Err(format!(
                "该分类定于 {until} 移出：不晚于该日纳入即取消移出，更晚的请待移出后再定"
            ));
        }
        Ok(Self { from: day, until: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_class_is_in_scope_from_its_day_until_the_day_it_is_taken_out() {
        let today = day("2026-11-19");
        let span = Span { from: day("2026-01-01"), until: None };
        assert!(!span.holds(day("2025-12-31")) && span.holds(day("2026-01-01")));
        let out = span.taken_out(day("2026-12-01"), today).unwrap();
        assert!(out.holds(day("2026-11-30")) && !out.holds(day("2026-12-01")));
        assert!(out.taken_out(day("2026-12-05"), today).is_err());
        assert!(span.taken_out(day("2026-11-18"), today).is_err());
        assert!(span.taken_in(today, today).is_err());
        assert_eq!(out.taken_in(today, today).unwrap(), span);
        assert!(out.taken_in(day("2027-03-01"), today).is_err(), "there would be a hole now");
        let back = out.taken_in(day("2027-03-01"), day("2027-01-01")).unwrap();
        assert!(!back.holds(day("2027-02-28")) && back.holds(day("2027-03-01")));
        assert!(out.taken_in(day("2026-11-18"), today).is_err());
    }
}
