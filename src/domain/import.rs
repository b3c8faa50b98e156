//! How far the first reading of a feed is: until it is done, every figure made from it is too
//! small.

use super::Time;

/// The first import of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import {
    /// Since when; none before it began.
    pub since: Option<Time>,
    /// Records read so far.
    pub done: u64,
    /// Records to read, as far as the source said.
    pub total: Option<u64>,
    /// Seconds that it takes yet, by its pace so far.
    pub left_s: Option<u64>,
}

impl Import {
    /// From its two counts, and since when and at which count its pace is known.
    pub fn at_pace(
        since: Option<Time>,
        done: u64,
        total: Option<u64>,
        from: Option<(Time, u64)>,
        now: Time,
    ) -> Import {
        let left_s = from.zip(total).and_then(|((at, before), total)| {
            let seconds = u64::try_from((now - at).num_seconds()).ok()?;
            let read = done.checked_sub(before).filter(|read| *read > 0)?;
            // A pace of less than three seconds says nothing.
            (seconds >= 3).then(|| total.saturating_sub(done).saturating_mul(seconds) / read)
        });
        Import {
            since,
            done,
            total,
            left_s,
        }
    }

    /// `1,200 of 5,000 records (24 %), for 3 min, about 10 min left`
    pub fn told(&self, now: Time) -> String {
        let Some(since) = self.since else {
            return "waits for its turn".to_owned();
        };
        let mut text = match self.total.filter(|total| *total > 0) {
            // The last record is not the end: what the list lacks is asked for singly.
            Some(total) => format!(
                "{} of {} records ({} %)",
                grouped(self.done),
                grouped(total),
                (100 * self.done / total).min(99)
            ),
            None => format!("{} records", grouped(self.done)),
        };
        text.push_str(&format!(
            ", for {}",
            span(u64::try_from((now - since).num_seconds()).unwrap_or(0))
        ));
        if let Some(left) = self.left_s {
            text.push_str(&format!(", about {} left", span(left)));
        }
        text
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn an_import_is_told_with_its_share_and_what_is_left_by_its_pace() {
        let import = Import::at_pace(
            Some(at(0)),
            1_200,
            Some(5_000),
            Some((at(60), 200)),
            at(180),
        );
        assert_eq!(
            import.told(at(180)),
            "1,200 of 5,000 records (24 %), for 3 min, about 7 min left"
        );
        assert_eq!(
            Import::at_pace(Some(at(0)), 7, None, None, at(5)).told(at(5)),
            "7 records, for 5 s"
        );
        assert_eq!(
            Import::at_pace(Some(at(0)), 5_000, Some(5_000), None, at(1)).told(at(1)),
            "5,000 of 5,000 records (99 %), for 1 s"
        );
        assert_eq!(
            Import::at_pace(None, 0, None, None, at(1)).told(at(1)),
            "waits for its turn"
        );
        // Nothing was read since the pace is measured, or for too short a time: no guess.
        assert_eq!(
            Import::at_pace(Some(at(0)), 200, Some(5_000), Some((at(60), 200)), at(180)).left_s,
            None
        );
        assert_eq!(
            Import::at_pace(Some(at(0)), 300, Some(5_000), Some((at(179), 200)), at(180)).left_s,
            None
        );
    }
}
