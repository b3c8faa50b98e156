//! A Mailchimp that does not answer keeps nobody's opt-out away.

use super::Charity;
use super::answers::Instead;
use crate::backend::Kind;
use crate::site::world;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_goes_out_while_a_look_at_the_audience_hangs() {
    let one = async |text: &'static str| {
        let mut charity = Charity::new(Kind::Sqlite, world(60, 147)).await;
        charity.sync().await;
        let person = charity.givers(1).await[0];
        let email = charity.email(person);
        charity.opt(person, false);
        charity.read();
        charity.does_not_do("", Instead::Hangs(text)).await;
        let heard = async {
            while charity.status(&email) != "unsubscribed" {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        // Less than what a request may take.
        let patient = tokio::time::timeout(Duration::from_secs(40), heard);
        tokio::select! {
            _ = charity.deliver() => panic!("{text}: it was answered"),
            heard = patient => assert!(heard.is_ok(), "{text}"),
        }
        charity.assert_harmless();
    };
    futures_util::future::join_all(["/members?", "?fields=id"].map(one)).await;
}
