//! A disk that takes no more: what is answered, and what the log says of it.

use std::{
    fmt::Display,
    io,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::Problem;

/// The log says once in so long that the disk refuses, however many requests meet it.
const QUIET: Duration = Duration::from_mins(1);

/// Why nothing can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// There is no room, or no more room for us.
    Full,
    /// It is read-only, or refuses for a reason of its own.
    Unwritable,
}

impl Disk {
    /// What an error of the system says of the disk; nothing where it is about something else.
    pub fn of(cause: &io::Error) -> Option<Self> {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match cause.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Some(Self::Full),
            ReadOnlyFilesystem => Some(Self::Unwritable),
            _ => None,
        }
    }

    /// What a caller hears.
    pub fn refuses(self) -> Problem {
        Problem::Unavailable(String::from(match self {
            Self::Full => "磁盘已满，暂不能写入，此次操作没有生效；请联系运维人员",
            Self::Unwritable => "磁盘不可写，暂不能写入，此次操作没有生效；请联系运维人员",
        }))
    }

    /// The same, and a line in the log unless there was one a short while ago.
    pub fn refuses_because(self, cause: &dyn Display) -> Problem {
        static TOLD: Mutex<Option<Instant>> = Mutex::new(None);
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        if is_due(&mut told, Instant::now()) {
            tracing::error!(%cause, disk = ?self, "the disk takes no data");
        }
        self.refuses()
    }
}

fn is_due(told: &mut Option<Instant>, now: Instant) -> bool {
    let due = told.is_none_or(|told| now.duration_since(told) >= QUIET);
    if due {
        *told = Some(now);
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_the_disk_is_said_of_the_disk() {
        let of = |kind: io::ErrorKind| Disk::of(&kind.into());
        assert_eq!(of(io::ErrorKind::StorageFull), Some(Disk::Full));
        assert_eq!(of(io::ErrorKind::ReadOnlyFilesystem), Some(Disk::Unwritable));
        // Half a file is damage, and is named as such.
        assert_eq!(of(io::ErrorKind::UnexpectedEof), None);
        assert!(Disk::Full.refuses().to_string().starts_with("磁盘已满"));
    }

    #[test]
    fn the_log_says_it_once_a_minute() {
        let (mut told, begun) = (None, Instant::now());
        let lines = (0..600).filter(|second| {
            let now = begun + Duration::from_secs(*second);
            is_due(&mut told, now)
        });
        assert_eq!(lines.count(), 10);
    }
}
