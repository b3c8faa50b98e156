//! A refusal: `application/problem+json` (contract 7).

use serde_json::{Value, json};
use std::borrow::Cow;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem {
    pub(super) status: u16,
    pub(super) title: Cow<'static, str>,
    pub(super) detail: String,
    /// Field and message.
    pub(super) errors: Vec<(String, String)>,
}

const INVALID: &str = "The resource submitted could not be validated. For field-specific details, see the 'errors' array.";

impl Problem {
    pub(super) fn new(
        status: u16,
        title: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Problem {
        Problem {
            status,
            title: title.into(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Problem {
        Problem::new(400, "Invalid Resource", detail)
    }

    pub(super) fn fields(errors: Vec<(String, String)>) -> Problem {
        Problem {
            errors,
            ..Problem::invalid(INVALID)
        }
    }

    pub(super) fn field(name: &str, message: impl Into<String>) -> Problem {
        Problem::fields(vec![(name.to_owned(), message.into())])
    }

    pub(super) fn not_found() -> Problem {
        Problem::new(
            404,
            "Resource Not Found",
            "The requested resource could not be found.",
        )
    }

    pub(super) fn method() -> Problem {
        Problem::new(
            405,
            "Method Not Allowed",
            "The requested method and resource are not compatible. See the Allow header for methods.",
        )
    }

    pub(super) fn key_missing() -> Problem {
        Problem::new(
            401,
            "API Key Missing",
            "Your request did not include an API key.",
        )
    }

    pub(super) fn key_invalid() -> Problem {
        Problem::new(
            401,
            "API Key Invalid",
            "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
        )
    }

    pub(super) fn too_many() -> Problem {
        Problem::new(
            429,
            "Too Many Requests",
            "You have exceeded the limit of 10 simultaneous connections.",
        )
    }

    pub(super) fn forbidden() -> Problem {
        Problem::new(
            403,
            "Forbidden",
            "You don't have permission to access the requested resource.",
        )
    }

    /// What `X-Trigger-Error` asks for: a title without its spaces.
    pub(super) fn triggered(name: &str) -> Problem {
        let all = [
            Problem::key_missing(),
            Problem::key_invalid(),
            Problem::too_many(),
            Problem::forbidden(),
            Problem::not_found(),
            Problem::method(),
            Problem::new(403, "User Disabled", "This account has been disabled."),
            Problem::new(400, "Bad Request", "Your request could not be processed."),
            Problem::new(
                500,
                "Internal Server Error",
                "An unexpected internal error has occurred.",
            ),
        ];
        let wanted = |problem: &Problem| problem.title.replace(' ', "").eq_ignore_ascii_case(name);
        all.into_iter()
            .find(wanted)
            .unwrap_or_else(|| Problem::invalid(INVALID))
    }

    /// The body. `instance` tells one refusal from another; real ones now and then lack `type`.
    pub(super) fn body(&self, instance: &str, typed: bool) -> Value {
        let mut body = json!({"title": self.title, "status": self.status, "detail": self.detail, "instance": instance});
        if typed {
            body["type"] = json!("https://mailchimp.com/developer/marketing/docs/errors/");
        }
        if !self.errors.is_empty() {
            let error =
                |(field, message): &(String, String)| json!({"field": field, "message": message});
            body["errors"] = self.errors.iter().map(error).collect();
        }
        body
    }
}
