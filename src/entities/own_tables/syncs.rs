//! Organizations, runs, alerts, and what else keeps the sync going.

use super::table::{OF_ORGANIZATION, OwnTable};
use crate::entities::record::Kind::{Int, Money, Text, Time};

pub(super) const TABLES: &[OwnTable] = &[
    OwnTable {
        name: "organizations",
        meaning: "Who is synced.",
        columns: &[
            (
                "id",
                Int,
                "What other tables call `organization_id`: a number of this \
                 database alone.",
            ),
            (
                "classy_id",
                Int,
                "Classy's id: what files, paths and people call it.",
            ),
            ("name", Text, "What people call it."),
            ("status", Text, "`active`, `paused` or `suspended`."),
            ("status_reason", Text, "Why it is not active."),
            (
                "credentials_encrypted",
                Text,
                "Its credentials, sealed for this organization alone.",
            ),
            (
                "timezone",
                Text,
                "Whose days are counted: an IANA name; empty is UTC.",
            ),
            (
                "currency_code",
                Text,
                "The currency of amounts that have none beside them.",
            ),
            (
                "fiscal_year_starts",
                Int,
                "The month with which fiscal years begin: 1 to 12.",
            ),
            (
                "change_seq",
                Int,
                "The last number of the change feed that was given out.",
            ),
            (
                "applied_from",
                Text,
                "The machine and folder that last applied its file.",
            ),
            ("created_at", Time, "When it was first known here."),
            ("updated_at", Time, "When this row last changed."),
        ],
    },
    OwnTable {
        name: "sync_runs",
        meaning: "What was read and written by one run of one feed, and how it \
                 ended.",
        columns: &[
            ("id", Int, "Rises with each run."),
            OF_ORGANIZATION,
            ("entity", Text, "Which list: the name of its table."),
            ("mode", Text, "`full`, `incremental` or `repair`."),
            ("reason", Text, "Who asked: `cli`, `schedule`, ..."),
            (
                "outcome",
                Text,
                "`complete`, `incomplete`, `stopped` or `failed`; empty while it \
                 runs, and for good when its process died.",
            ),
            ("started_at", Time, "When it began."),
            ("finished_at", Time, "When it ended."),
            ("requests", Int, "Requests to Classy."),
            ("pages", Int, "Pages that were read."),
            ("bytes", Int, "Bytes of their bodies."),
            ("seen", Int, "Records in them."),
            ("inserted", Int, "Records that were new."),
            ("updated", Int, "Records that had changed."),
            ("restored", Int, "Records that had been gone."),
            (
                "upgraded",
                Int,
                "Rows written anew since more columns are kept.",
            ),
            ("unchanged", Int, "Records that were the same."),
            (
                "older",
                Int,
                "Records older than what is stored: left alone.",
            ),
            ("rejected", Int, "Records that could not be stored."),
            ("absent", Int, "Rows found to be gone at Classy."),
            (
                "folded",
                Int,
                "Earlier runs of its day that brought nothing, too, and were \
                 removed.",
            ),
            ("error", Text, "Why it ended."),
        ],
    },
    OwnTable {
        name: "checkpoints",
        meaning: "How far each feed was read. What begins with `pass_` is of the \
                 full pass under way, with `short_` of what passes did not bring \
                 though Classy counts it, with `gap_` of changes that cannot be \
                 read now.",
        columns: &[
            OF_ORGANIZATION,
            ("entity", Text, "Which list."),
            ("mode", Text, "How it is read: `full` or `incremental`."),
            ("watermark", Time, "Changes before this moment were read."),
            ("swept_at", Time, "When changes were last read to the end."),
            ("first_pass_at", Time, "When it was first read whole."),
            ("page", Int, "The page that comes next."),
            ("pass_id", Int, "Which pass."),
            ("pass_started_at", Time, "When it began."),
            ("pass_per_page", Int, "Records a page."),
            ("pass_last_id", Int, "The last id that was read."),
            ("pass_max_id", Int, "The highest id there is."),
            ("pass_total", Int, "How many records Classy counts."),
            ("pass_met", Int, "How many were met."),
            ("pass_walks", Int, "How often it began at the front."),
            ("pass_total_before", Int, "What Classy counted before."),
            ("pass_met_before", Int, "What was met before."),
            ("pass_stage", Text, "What it is doing."),
            ("pass_missing", Int, "Records found missing here."),
            ("pass_stale", Int, "Rows found older than the record."),
            (
                "pass_restored",
                Int,
                "Rows that had been gone and are there again.",
            ),
            ("reconciled_at", Time, "When the last pass ended."),
            (
                "schema_version",
                Int,
                "With which columns the list was last read whole.",
            ),
            ("missing", Int, "What the last pass found missing."),
            ("stale", Int, "What it found stale."),
            ("restored", Int, "What it found there again."),
            ("absent", Int, "What it found gone."),
            ("pass_seen_at", Time, "When it last saw a page."),
            ("pass_refused", Int, "Pages that were refused."),
            ("pass_unread", Int, "Records that could not be read."),
            ("pass_note", Text, "What is remembered of it, as JSON."),
            ("pass_schema_version", Int, "With which columns it writes."),
            ("clock_theirs", Time, "What Classy's clock showed."),
            ("clock_ours", Time, "What ours showed then."),
            ("short_since", Time, "Since when something is short."),
            ("short_passes", Int, "In how many passes."),
            ("short_unmet", Int, "Records that were not met."),
            ("short_unread", Int, "Records that could not be read."),
            ("short_undecided", Int, "Records of which neither is sure."),
            ("short_reason", Text, "Why."),
            (
                "gap_since",
                Time,
                "From which moment on changes cannot be read.",
            ),
            ("gap_records", Int, "How many there are."),
            ("gap_reason", Text, "Why."),
            ("next_run_at", Time, "When it is due."),
            (
                "window_at",
                Time,
                "When purchases were last looked through.",
            ),
            ("updated_at", Time, "When this row last changed."),
        ],
    },
    OwnTable {
        name: "rejects",
        meaning: "A record that could not be stored, and why; none of its values.",
        columns: &[
            OF_ORGANIZATION,
            ("entity", Text, "Which list."),
            (
                "source_id",
                Int,
                "Classy's id of the record; 0 when it could not be read.",
            ),
            ("reason", Text, "Why, as a word."),
            ("detail", Text, "Field and expectation."),
            ("first_seen_at", Time, "When it was first met."),
            ("last_seen_at", Time, "When it was last met."),
            ("resolved_at", Time, "When a good version came."),
        ],
    },
    OwnTable {
        name: "absence_suspects",
        meaning: "Rows that a pass did not meet, until it is sure whether they are \
                 gone.",
        columns: &[
            OF_ORGANIZATION,
            ("entity", Text, "Which list."),
            ("source_id", Int, "Classy's id of the record."),
            ("reason", Text, "Why it is in doubt."),
            ("since", Time, "Since when."),
        ],
    },
    OwnTable {
        name: "audit_log",
        meaning: "What a person ordered, and what a stored consent, e-mail or amount \
                 was before. Rows are only ever added, and removed when they are \
                 old (`retention`).",
        columns: &[
            ("id", Int, "Rises with each row."),
            ("at", Time, "When."),
            (
                "actor",
                Text,
                "`sync`, a plugin's name, or `cli` and `http` for a person.",
            ),
            (
                "organization_id",
                Int,
                "Empty for what concerns no single organization.",
            ),
            (
                "action",
                Text,
                "`supporter.consent_changed`, `org.pause`, ...",
            ),
            ("subject", Text, "`supporter:123`"),
            ("detail", Text, "More, as JSON."),
        ],
    },
    OwnTable {
        name: "alerts",
        meaning: "What is wrong or was, and who knows.",
        columns: &[
            ("id", Int, "Rises with each alert."),
            (
                "organization_id",
                Int,
                "Empty for what concerns the process.",
            ),
            ("key", Text, "Check and subject."),
            ("severity", Text, "`degraded` or `failing`."),
            ("message", Text, "What is wrong."),
            ("opened_at", Time, "Since when."),
            ("last_seen_at", Time, "When it was last found."),
            (
                "acknowledged_at",
                Time,
                "When a person said that they know.",
            ),
            ("resolved_at", Time, "When it was over."),
            ("count", Int, "How often it was found."),
            ("notices", Int, "How often it was told."),
            ("notified_at", Time, "When it was last told."),
            ("notified_by", Text, "By which process."),
        ],
    },
    OwnTable {
        name: "health_samples",
        meaning: "The performance baseline, by the minute at first, later by hours \
                 and days.",
        columns: &[
            ("id", Int, "Rises with each sample."),
            ("at", Time, "The middle of what it stands for."),
            ("organization_id", Int, "Empty for the process itself."),
            ("metric", Text, "`transactions.rate`, `memory`, ..."),
            ("resolution", Text, "`minute`, `hour` or `day`."),
            ("value", Money, "In the metric's unit; a float."),
        ],
    },
    OwnTable {
        name: "leases",
        meaning: "Which process serves which organization.",
        columns: &[
            OF_ORGANIZATION,
            ("holder", Text, "The process."),
            (
                "epoch",
                Int,
                "Rises with each holder: who has an older one writes nothing.",
            ),
            ("expires_at", Time, "Until when."),
            (
                "fence_writes",
                Int,
                "Rises with each transaction of the holder.",
            ),
        ],
    },
    OwnTable {
        name: "daemons",
        meaning: "Processes that serve organizations.",
        columns: &[
            ("holder", Text, "The process."),
            (
                "expires_at",
                Time,
                "When it counts as gone unless it is heard of.",
            ),
        ],
    },
    OwnTable {
        name: "chores",
        meaning: "What one process does now and then for all.",
        columns: &[
            ("name", Text, "What."),
            ("next_at", Time, "When it is due."),
        ],
    },
    OwnTable {
        name: "unread_fields",
        meaning: "Keys that records have at Classy and that nobody reads here.",
        columns: &[
            ("entity", Text, "Which list."),
            ("name", Text, "The key at Classy."),
            (
                "first_seen_at",
                Time,
                "When a record of any organization had it first.",
            ),
        ],
    },
    OwnTable {
        name: "zone_clocks",
        meaning: "What the clocks of a time zone show, from one change to the next.",
        columns: &[
            ("time_zone", Text, "IANA name."),
            ("from_at", Time, "From when on."),
            ("offset_s", Int, "Seconds ahead of UTC."),
        ],
    },
    OwnTable {
        name: "zone_years",
        meaning: "The same cut at the beginning of each year of UTC, for views.",
        columns: &[
            ("time_zone", Text, "IANA name."),
            ("year", Int, "Of UTC."),
            ("from_at", Time, "From when on."),
            ("until_at", Time, "From then on not any more."),
            ("offset_s", Int, "Seconds ahead of UTC."),
        ],
    },
];
