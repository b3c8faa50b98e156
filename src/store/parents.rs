//! Parents that are not there yet get a stub; parents of another organization get no link.

use super::decide::Decision;
use super::page::Step;
use super::row::{Kind, Row, RowText, time_text};
use super::statement::{document, ids_document, insert_missing, lookup, sql, unpack};
use super::{Error, rejects};
use crate::domain::{Entity, Reject, RejectReason};
use sea_orm::ConnectionTrait;
use std::collections::{BTreeSet, HashSet};

/// Makes every link of the rows to be written one that the database accepts.
pub(super) async fn resolve<R: Row>(step: &Step<'_>, decision: &mut Decision<'_, R>) -> Result<(), Error> {
    for link in R::table().links {
        let ids: BTreeSet<i64> = decision.writes.iter().filter_map(|write| (link.get)(&write.row)).collect();
        if ids.is_empty() {
            continue;
        }
        let (present, foreign) = owners(step, link.parent, &ids).await?;
        let missing: Vec<i64> = ids.into_iter().filter(|id| !present.contains(id)).collect();
        insert_stubs(step, link.parent, &missing).await?;
        if foreign.is_empty() {
            continue;
        }
        for write in &mut decision.writes {
            if (link.get)(&write.row).is_some_and(|id| foreign.contains(&id)) {
                (link.clear)(&mut write.row);
                // The fingerprint stays that of what the source says, so that it is recognized.
                write.text.to_mut().columns = RowText::of(&write.row, step.backend).columns;
                decision.rejects.push(Reject {
                    source_id: Some(write.row.id()),
                    updated_at: write.row.updated_at(),
                    reason: RejectReason::ForeignParent,
                    detail: format!("{}: belongs to another organization; stored without the link", link.column),
                });
            }
        }
    }
    Ok(())
}

/// Of these ids: all that are stored, and those of another organization.
async fn owners(step: &Step<'_>, parent: Entity, ids: &BTreeSet<i64>) -> Result<(HashSet<i64>, HashSet<i64>), Error> {
    let failed = |error| Error::query("reading parents", error);
    let (source, join) = (unpack(step.backend, &[("id", Kind::Int)]), lookup(step.backend));
    let text = format!("SELECT t.id, t.organization_id FROM {source} {join} {parent} AS t ON t.id = j.id");
    let rows = step.tx.query_all_raw(sql(step.backend, &text, [ids_document(ids.iter().copied())])).await.map_err(failed)?;
    let mut present = HashSet::with_capacity(rows.len());
    let mut foreign = HashSet::new();
    for row in rows {
        let id: i64 = row.try_get("", "id").map_err(failed)?;
        if row.try_get::<i64>("", "organization_id").map_err(failed)? != step.organization_id {
            foreign.insert(id);
        }
        present.insert(id);
    }
    Ok((present, foreign))
}

async fn insert_stubs(step: &Step<'_>, parent: Entity, ids: &[i64]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut fields = vec![("id", Kind::Int), ("organization_id", Kind::Int), ("is_stub", Kind::Bool), ("last_sync_at", Kind::Time)];
    if parent == Entity::Supporters {
        fields.push(("first_seen_at", Kind::Time));
    }
    let stamp = time_text(step.now, step.backend);
    let objects: Vec<Vec<u8>> = ids
        .iter()
        .map(|id| {
            let owner = step.organization_id;
            format!(r#"{{"id":{id},"organization_id":{owner},"is_stub":1,"last_sync_at":"{stamp}","first_seen_at":"{stamp}"}}"#)
                .into_bytes()
        })
        .collect();
    let text = insert_missing(step.backend, parent.as_str(), "id", &fields);
    step.tx
        .execute_raw(sql(step.backend, &text, [document(objects.iter().map(Vec::as_slice))]))
        .await
        .map_err(|error| Error::query("writing stubs", error))?;
    Ok(())
}

/// A stub yields to its real owner: the links of the organization that guessed it are emptied, its totals cleared,
/// and the rows that had them are noted in that organization's `rejects`.
pub(super) async fn release_stubs<R: Row>(step: &Step<'_>, decision: &Decision<'_, R>) -> Result<(), Error> {
    let failed = |error| Error::query("releasing a stub", error);
    let children: &[(Entity, &str)] = match R::ENTITY {
        Entity::Supporters => &[(Entity::Transactions, "supporter_id"), (Entity::RecurringPlans, "supporter_id")],
        Entity::Campaigns => &[(Entity::Transactions, "campaign_id"), (Entity::RecurringPlans, "campaign_id")],
        Entity::RecurringPlans => &[(Entity::Transactions, "recurring_plan_id")],
        Entity::Transactions => &[],
    };
    for write in &decision.writes {
        let Some(stub) = write.before.as_ref().filter(|stored| stored.is_foreign) else { continue };
        let id = write.row.id();
        for (child, column) in children {
            let text = format!("SELECT id FROM {child} WHERE organization_id = $1 AND {column} = $2");
            let rows = step.tx.query_all_raw(sql(step.backend, &text, [stub.owner.into(), id.into()])).await.map_err(failed)?;
            for row in rows {
                let child_id: i64 = row.try_get("", "id").map_err(failed)?;
                let detail = format!("{column}: turned out to belong to another organization; the link was emptied");
                rejects::note(step, stub.owner, *child, child_id, RejectReason::ForeignParent, &detail).await?;
            }
            let text = format!("UPDATE {child} SET {column} = NULL WHERE organization_id = $1 AND {column} = $2");
            step.tx.execute_raw(sql(step.backend, &text, [stub.owner.into(), id.into()])).await.map_err(failed)?;
        }
        let totals = match R::ENTITY {
            Entity::Supporters => {
                "lifetime_donation_amount = 0, lifetime_donation_count = 0, monthly_recurring_amount = 0, largest_donation_amount = 0, \
                 first_donation_at = NULL, last_donation_at = NULL, "
            }
            Entity::Campaigns => "total_raised = 0, donors_count = 0, transactions_count = 0, ",
            _ => "",
        };
        let text = format!("UPDATE {} SET {totals}organization_id = $1 WHERE id = $2", R::ENTITY);
        step.tx.execute_raw(sql(step.backend, &text, [step.organization_id.into(), id.into()])).await.map_err(failed)?;
    }
    Ok(())
}
