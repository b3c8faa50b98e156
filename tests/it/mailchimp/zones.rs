//! Days are those of the organization's time zone: in fields, views and charts.

use super::Charity;
use crate::backend::kinds;
use crate::site::{ORGANIZATION, world};
use chrono::Utc;
use classy_sync::domain::{Time, Zone};
use classy_sync::simulator::Kind as List;
use sea_orm::{ConnectionTrait, Statement};

impl Charity {
    fn in_zone(&self, name: &str) {
        let path = self
            .site
            .path()
            .join(format!("organizations/{ORGANIZATION}.toml"));
        let before = std::fs::read_to_string(&path).unwrap();
        let rest: Vec<&str> = before
            .lines()
            .filter(|line| !line.starts_with("time_zone"))
            .collect();
        std::fs::write(&path, format!("time_zone = {name:?}\n{}", rest.join("\n"))).unwrap();
    }

    /// Moves all gifts of a supporter to this moment.
    fn gave_at(&self, supporter: i64, at: &str) {
        let mut world = self.site.simulator.world();
        let theirs = |record: &&classy_sync::simulator::Record| {
            record.get("supporter_id").as_deref() == Some(&supporter.to_string())
        };
        let gifts: Vec<i64> = world
            .list(ORGANIZATION, List::Transactions)
            .unwrap()
            .iter()
            .filter(theirs)
            .map(|record| record.id)
            .collect();
        for gift in gifts {
            world.edit(
                ORGANIZATION,
                List::Transactions,
                gift,
                &[("purchased_at", format!("{at:?}"))],
                true,
            );
        }
    }

    /// Days since each supporter's last gift: as the view says, and by the calendar of a zone.
    async fn days(&self, zone: Zone) -> Vec<(i64, i64)> {
        let connection = self.site.database.connect().await;
        let text = self.site.database.text("last_donation_at");
        let query = format!(
            "SELECT days_since_last_gift AS days, {text} AS last_at FROM supporter_summary WHERE last_donation_at IS NOT NULL"
        );
        let rows = connection
            .query_all_raw(Statement::from_string(
                connection.get_database_backend(),
                query,
            ))
            .await
            .unwrap();
        let read = |row: &sea_orm::QueryResult| {
            let text: String = row.try_get("", "last_at").unwrap();
            let naive = chrono::NaiveDateTime::parse_from_str(
                &text.replace('T', " ")[..19],
                "%Y-%m-%d %H:%M:%S",
            )
            .unwrap();
            (
                row.try_get::<i64>("", "days").unwrap(),
                zone.days_between(naive.and_utc(), Utc::now()),
            )
        };
        let days = rows.iter().map(read).collect();
        connection.close().await.unwrap();
        days
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gift_of_new_years_eve_is_this_years_where_the_organization_is() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 96)).await;
        charity.in_zone("America/New_York");
        let giver = charity.givers(1).await[0];
        charity.gave_at(giver, "2026-01-01T01:30:00+0000");
        charity.sync().await;
        assert_eq!(
            charity.field(&charity.email(giver), "LASTGIFT"),
            "2025-12-31"
        );
        let months = async |month: &str| {
            let (store, _) = charity.store().await;
            let from: Time = "2025-11-01T05:00:00Z".parse().unwrap();
            let months = store.giving_by_month(ORGANIZATION, from).await.unwrap();
            store.close().await.unwrap();
            months
                .into_iter()
                .find(|known| known.month == month)
                .map_or(0, |known| known.gifts)
        };
        let december = months("2025-12").await;
        for (view, calendar) in charity.days(Zone::parse("America/New_York").unwrap()).await {
            assert_eq!(view, calendar, "{kind:?}");
        }

        // Where the day has begun already, the same gift is of the next year: everybody is looked
        // at again.
        charity.in_zone("Asia/Tokyo");
        charity.sync().await;
        assert_eq!(
            charity.field(&charity.email(giver), "LASTGIFT"),
            "2026-01-01"
        );
        assert!(months("2025-12").await < december);
        for (view, calendar) in charity.days(Zone::parse("Asia/Tokyo").unwrap()).await {
            assert_eq!(view, calendar, "{kind:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_there_is_not_is_refused_with_the_nearest() {
    let charity = Charity::new(crate::backend::Kind::Sqlite, world(20, 94)).await;
    charity.in_zone("America/NewYork");
    let output = charity.site.run(&["config", "check"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(
        !output.status.success()
            && told.contains("time_zone")
            && told.contains("did you mean 'America/New_York'"),
        "{told}"
    );
}

/// Evidence of consent goes along with those whom we add, and with nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn when_people_consented_is_told_of_those_whom_we_add() {
    let charity = Charity::new(crate::backend::Kind::Sqlite, world(60, 93)).await;
    let there = charity.email(charity.givers(1).await[0]);
    charity.act(classy_sync::simulator::Act::SignUp(there.clone()));
    charity.sync().await;
    let harm = charity.harm();
    let told: Vec<(&str, Option<&str>)> = harm
        .writes
        .iter()
        .map(|write| {
            (
                write.email.as_str(),
                write
                    .sent
                    .get("timestamp_signup")
                    .and_then(|at| at.as_str()),
            )
        })
        .collect();
    assert!(
        told.iter()
            .filter(|(_, at)| at.is_some_and(|at| at.parse::<Time>().is_ok()))
            .count()
            > 10,
        "{told:?}"
    );
    assert!(
        told.iter()
            .all(|(email, at)| *email != there || at.is_none()),
        "{told:?}"
    );
}
