//! `/batches` (contract 6): taken at once, carried out later and in no order, fetched as a packed
//! archive.

use super::archive;
use super::batch::{ADDRESS_S, Batch, Done, KEPT_S, Operation};
use super::call::Spoil;
use super::draft::json_body;
use super::problem::Problem;
use super::route::{Asked, decoded};
use super::state::Mailchimp;
use super::time::digits;
use crate::simulator::fault::{Fault, mix};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const PENDING_MAX: usize = 500;
/// A page of a reading operation without a count.
const PAGE: usize = 1_000;
/// Where results are fetched, without a key.
pub(in crate::simulator) const RESULTS: &str = "/mailchimp-results/";

/// A call under `/batches`.
pub(super) fn answer(
    state: &mut Mailchimp,
    asked: &Asked<'_>,
    method: &str,
    rest: &[&str],
) -> Result<Value, Problem> {
    let now = state.now();
    state.accounts[asked.account]
        .batches
        .retain(|_, batch| now - batch.submitted < KEPT_S);
    match (method, rest) {
        ("GET", []) => {
            let ids: Vec<String> = state.accounts[asked.account]
                .batches
                .keys()
                .cloned()
                .collect();
            let all: Vec<Value> = ids
                .iter()
                .filter_map(|id| shown(state, asked, id).ok())
                .collect();
            let total = all.len();
            Ok(json!({"batches": all, "total_items": total, "_links": []}))
        }
        ("POST", []) => create(state, asked),
        ("GET", [id]) => shown(state, asked, id),
        ("DELETE", [id]) => {
            // What was done stays done.
            state.accounts[asked.account]
                .batches
                .remove(*id)
                .map(|_| Value::Null)
                .ok_or_else(Problem::not_found)
        }
        _ => Err(Problem::method()),
    }
}

/// A batch with a fresh address of its results.
fn shown(state: &mut Mailchimp, asked: &Asked<'_>, id: &str) -> Result<Value, Problem> {
    let (now, number) = (state.now(), state.next());
    let batch = state.accounts[asked.account]
        .batches
        .get_mut(id)
        .ok_or_else(Problem::not_found)?;
    let name = digits(mix(number ^ 0xba7c), 24);
    if batch.state() == "finished" {
        batch.addresses.insert(name.clone(), now + ADDRESS_S);
    }
    Ok(batch.render(&format!("{}{RESULTS}{name}.tar.gz", asked.host)))
}

fn operation(value: &Value) -> Option<Operation> {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let params = value["params"].as_object().cloned().unwrap_or_default();
    let param = |(name, value): (String, Value)| {
        (
            name,
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned),
        )
    };
    let body = match &value["body"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let (method, path) = (text("method")?.to_uppercase(), text("path")?);
    let (path, inline) = path
        .split_once('?')
        .map_or((path.as_str(), ""), |(path, query)| (path, query));
    let query = url::form_urlencoded::parse(inline.as_bytes())
        .into_owned()
        .chain(params.into_iter().map(param))
        .collect();
    Some(Operation {
        id: text("operation_id").unwrap_or_default(),
        method,
        path: decoded(path),
        query,
        body,
    })
}

fn create(state: &mut Mailchimp, asked: &Asked<'_>) -> Result<Value, Problem> {
    let body = json_body(asked.body)?;
    let operations = body["operations"].as_array().filter(|all| !all.is_empty());
    let operations = operations
        .ok_or_else(|| Problem::field("operations", "This value should not be blank."))?;
    let read: Option<Vec<Operation>> = operations.iter().map(operation).collect();
    let operations = read.ok_or_else(|| {
        Problem::field(
            "operations",
            "Schema describes string for method, path and body",
        )
    })?;
    let pending = state.accounts[asked.account]
        .batches
        .values()
        .filter(|batch| batch.state() != "finished")
        .count();
    if pending >= PENDING_MAX {
        let detail = format!(
            "You have more than {PENDING_MAX} pending batches. Please wait until some of them are finished."
        );
        return Err(Problem::new(429, "Too Many Requests", detail));
    }
    let (now, id) = (state.now(), digits(mix(state.next() ^ 0xba7c4), 10));
    let batch = Batch {
        id: id.clone(),
        operations,
        done: Vec::new(),
        begun: Instant::now(),
        takes: Duration::from_millis(state.switches.batch_ms),
        submitted: now,
        downloads: 0,
        addresses: std::collections::BTreeMap::new(),
    };
    state.accounts[asked.account]
        .batches
        .insert(id.clone(), batch);
    shown(state, asked, &id)
}

impl Mailchimp {
    /// Carries a batch out, in no order.
    pub(super) fn carry_out(&mut self, account: usize, id: &str) {
        let Some(batch) = self.accounts[account]
            .batches
            .get(id)
            .filter(|batch| batch.done.is_empty())
        else {
            return;
        };
        let salt = self.count;
        let mut operations: Vec<(usize, Operation)> =
            batch.operations.iter().cloned().enumerate().collect();
        operations.sort_by_key(|(place, _)| mix(salt ^ *place as u64));
        let done: Vec<Done> = operations
            .into_iter()
            .flat_map(|(_, operation)| self.operate(account, operation))
            .collect();
        if let Some(batch) = self.accounts[account].batches.get_mut(id) {
            batch.done = done;
        }
    }

    /// Carries one operation out. A reading one without a count goes on through all pages, each
    /// with a result of its own.
    fn operate(&mut self, account: usize, mut operation: Operation) -> Vec<Done> {
        let counted = operation.query.iter().any(|(name, _)| name == "count");
        if operation.method != "GET" || counted {
            return vec![self.once(account, &operation)];
        }
        let query = operation.query.clone();
        let mut all = Vec::new();
        loop {
            let page = [("count", PAGE), ("offset", all.len() * PAGE)]
                .map(|(name, number)| (name.to_owned(), number.to_string()));
            operation.query = query.iter().cloned().chain(page).collect();
            let done = self.once(account, &operation);
            let total = serde_json::from_str(&done.response)
                .ok()
                .and_then(|body: Value| body["total_items"].as_u64())
                .unwrap_or(0);
            all.push(done);
            if all.len() * PAGE >= total as usize {
                return all;
            }
        }
    }

    fn once(&mut self, account: usize, operation: &Operation) -> Done {
        let asked = Asked {
            account,
            method: &operation.method,
            path: &operation.path,
            query: &operation.query,
            body: operation.body.as_bytes(),
            spoil: Spoil::Nothing,
            reachable: false,
            host: "",
        };
        let endpoint = super::route::endpoint(asked.method, asked.path);
        *self
            .ledger
            .calls
            .entry(format!("batched {endpoint}"))
            .or_default() += 1;
        let nested = asked.path.trim_start_matches('/').starts_with("batches");
        let (status, response) = match if nested {
            Err(Problem::method())
        } else {
            self.answer(&asked)
        } {
            Ok(Value::Null) => (204, String::new()),
            Ok(value) => (200, value.to_string()),
            Err(problem) => (
                problem.status,
                problem.body(&operation.id, true).to_string(),
            ),
        };
        Done {
            id: operation.id.clone(),
            status,
            response,
        }
    }

    /// Results by the name in their address: status and bytes.
    pub(in crate::simulator) fn results(&mut self, name: &str, faults: &[Fault]) -> (u16, Vec<u8>) {
        let (now, name) = (self.now(), name.trim_end_matches(".tar.gz"));
        let mut batches = self
            .accounts
            .iter_mut()
            .flat_map(|account| account.batches.values_mut());
        let Some(batch) =
            batches.find(|batch| batch.addresses.get(name).is_some_and(|until| now < *until))
        else {
            return (
                403,
                b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>".to_vec(),
            );
        };
        batch.downloads += 1;
        if batch.downloads == 1 && faults.contains(&Fault::MailchimpLateResults) {
            return (
                400,
                b"<?xml version=\"1.0\"?><Error><Code>InvalidRequest</Code></Error>".to_vec(),
            );
        }
        archive::pack(&batch.id, &batch.done).map_or((500, Vec::new()), |bytes| (200, bytes))
    }
}
