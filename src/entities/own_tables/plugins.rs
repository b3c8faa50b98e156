//! What plugins sent, and what they know of the other side.

use super::table::{OF_ORGANIZATION, OwnTable};
use crate::entities::record::Kind::{Bool, Int, Text, Time};

pub(super) const TABLES: &[OwnTable] = &[
    OwnTable {
        name: "plugin_states",
        meaning: "How far a plugin read the change feed, and what it remembers.",
        columns: &[
            OF_ORGANIZATION,
            ("plugin", Text, "Which plugin."),
            (
                "destination",
                Text,
                "The place it delivers to: for Mailchimp an audience.",
            ),
            ("cursor", Int, "The `change_seq` up to which it is done."),
            ("state", Text, "What it remembers, as JSON."),
            ("updated_at", Time, "When this row last changed."),
        ],
    },
    OwnTable {
        name: "plugin_deliveries",
        meaning: "What a plugin did with each person, in each place it delivers to.",
        columns: &[
            OF_ORGANIZATION,
            ("plugin", Text, "Which plugin."),
            (
                "destination",
                Text,
                "The place it delivers to: for Mailchimp an audience.",
            ),
            ("supporter_id", Int, "Who."),
            ("address", Text, "The e-mail address that was used."),
            (
                "fingerprint",
                Int,
                "Tells whether what would be sent differs.",
            ),
            (
                "state",
                Text,
                "`delivered`, `skipped`, `deferred`, `held`, `rejected` or \
                 `sending`.",
            ),
            ("intent", Text, "What is being sent, while it is."),
            ("reason", Text, "Why, as a word."),
            ("attempts", Int, "Failed tries."),
            ("next_attempt_at", Time, "When it is tried again."),
            (
                "review_at",
                Time,
                "When the person is due without any change.",
            ),
            (
                "undone_mark",
                Int,
                "What was taken back, and is not sent again.",
            ),
            ("delivered_at", Time, "When it was last delivered."),
            ("updated_at", Time, "When this row last changed."),
        ],
    },
    OwnTable {
        name: "plugin_members",
        meaning: "The contacts of an audience as they are known here.",
        columns: &[
            OF_ORGANIZATION,
            ("plugin", Text, "Which plugin."),
            (
                "destination",
                Text,
                "The place it delivers to: for Mailchimp an audience.",
            ),
            ("remote_id", Text, "The contact: a digest of its address."),
            ("contact_id", Text, "The contact's own id there."),
            ("supporter_id", Int, "For whom it is."),
            ("remote_status", Text, "Its status there."),
            ("managed_tags", Text, "Tags of ours, as JSON."),
            ("field_values", Text, "What our fields hold, as JSON."),
            ("name_hash", Int, "Tells whether its name there differs."),
            ("subscribed_by_us", Bool, "Whether we put it there."),
            ("ever_left_at", Time, "When it last left."),
            ("last_seen_at", Time, "When it was last seen."),
        ],
    },
    OwnTable {
        name: "plugin_suppressions",
        meaning: "Who may not be put into an audience, and why.",
        columns: &[
            OF_ORGANIZATION,
            ("plugin", Text, "Which plugin."),
            ("remote_id", Text, "The contact: a digest of its address."),
            ("supporter_id", Int, "Who, where that is known."),
            (
                "destination",
                Text,
                "The place it delivers to: for Mailchimp an audience.",
            ),
            ("way", Text, "How they left."),
            ("reason", Text, "Why."),
            ("since", Time, "Since when."),
            ("lifted_at", Time, "When it ended."),
        ],
    },
    OwnTable {
        name: "plugin_guards",
        meaning: "Whether an audience had its first push, and whether a plugin is \
                 suspended.",
        columns: &[
            OF_ORGANIZATION,
            ("plugin", Text, "Which plugin."),
            (
                "destination",
                Text,
                "The place it delivers to: for Mailchimp an audience.",
            ),
            ("first_push_at", Time, "When it was allowed."),
            ("first_push_until", Time, "Until when."),
            ("forecast", Text, "What it would do, as JSON."),
            ("suspended_at", Time, "Since when the plugin is suspended."),
            ("suspended_reason", Text, "Why."),
        ],
    },
    OwnTable {
        name: "plugin_harms",
        meaning: "What was done and is pending of each kind that is bad when it \
                 happens to many.",
        columns: &[
            ("id", Int, "Rises with each row."),
            OF_ORGANIZATION,
            ("plugin", Text, "Which plugin."),
            (
                "destination",
                Text,
                "The place it delivers to: for Mailchimp an audience.",
            ),
            ("at", Time, "When."),
            ("kind", Text, "`unsubscribe`, `untag`, `rename`, `add`, ..."),
            ("entry", Text, "`done` or what else it stands for."),
            ("count", Int, "People."),
        ],
    },
    OwnTable {
        name: "plugin_holds",
        meaning: "What waits for a person's approval.",
        columns: &[
            OF_ORGANIZATION,
            ("plugin", Text, "Which plugin."),
            (
                "destination",
                Text,
                "The place it delivers to: for Mailchimp an audience.",
            ),
            ("supporter_id", Int, "Who."),
            ("kind", Text, "Of which kind."),
            ("mark", Int, "What exactly."),
        ],
    },
    OwnTable {
        name: "plugin_grants",
        meaning: "What a person allowed.",
        columns: &[
            OF_ORGANIZATION,
            ("plugin", Text, "Which plugin."),
            (
                "destination",
                Text,
                "The place it delivers to: for Mailchimp an audience.",
            ),
            ("supporter_id", Int, "Who."),
            ("kind", Text, "Of which kind."),
            ("mark", Int, "What exactly."),
            ("plan_id", Text, "In which plan."),
            ("granted_at", Time, "When."),
            ("expires_at", Time, "Until when."),
            ("used_at", Time, "When it was used."),
        ],
    },
    OwnTable {
        name: "plugin_images",
        meaning: "What a push changed of one contact: what was there, and what was \
                 sent.",
        columns: &[
            ("id", Int, "Rises with each image."),
            OF_ORGANIZATION,
            ("plugin", Text, "Which plugin."),
            (
                "destination",
                Text,
                "The place it delivers to: for Mailchimp an audience.",
            ),
            ("supporter_id", Int, "Who."),
            ("remote_id", Text, "The contact: a digest of its address."),
            ("contact_id", Text, "The contact's own id there."),
            ("sent_at", Time, "When."),
            ("before_values", Text, "Fields as they were, as JSON."),
            ("after_values", Text, "Fields as they were sent, as JSON."),
            ("put_on", Text, "Tags that were put on, as JSON."),
            ("taken_off", Text, "Tags that were taken off, as JSON."),
            ("mark", Int, "What exactly was pushed."),
            ("undo_id", Int, "The undo that took it back."),
            ("outcome", Text, "What became of that."),
            ("detail", Text, "More of it, as JSON."),
        ],
    },
    OwnTable {
        name: "plugin_undos",
        meaning: "Orders to take pushes back.",
        columns: &[
            ("id", Int, "Rises with each order."),
            OF_ORGANIZATION,
            ("plugin", Text, "Which plugin."),
            (
                "destination",
                Text,
                "The place it delivers to: for Mailchimp an audience.",
            ),
            ("since", Time, "Pushes since when."),
            ("last_image", Int, "The last image that it is about."),
            (
                "supporters",
                Text,
                "Whom it is about, as JSON; empty for everybody.",
            ),
            ("asked_at", Time, "When it was ordered."),
            ("ended_at", Time, "When it was done."),
            ("ending", Text, "How it ended."),
        ],
    },
    OwnTable {
        name: "plugin_hooks",
        meaning: "Webhooks at the other side.",
        columns: &[
            OF_ORGANIZATION,
            ("plugin", Text, "Which plugin."),
            (
                "destination",
                Text,
                "The place it delivers to: for Mailchimp an audience.",
            ),
            ("remote_id", Text, "The webhook's id there."),
            ("url", Text, "Where it calls."),
            ("heard_at", Time, "When it last called."),
            (
                "missed",
                Int,
                "How many looks in a row found what it had not told.",
            ),
        ],
    },
    OwnTable {
        name: "plugin_adoptions",
        meaning: "Contacts that a person said are ours.",
        columns: &[
            OF_ORGANIZATION,
            ("plugin", Text, "Which plugin."),
            (
                "destination",
                Text,
                "The place it delivers to: for Mailchimp an audience.",
            ),
            ("remote_id", Text, "The contact: a digest of its address."),
        ],
    },
];
