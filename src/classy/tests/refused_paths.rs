//! Places where tokens are refused that are taken elsewhere.

use super::*;
use crate::domain::{Answer, Doubt};

#[tokio::test(start_paused = true)]
async fn a_place_where_every_token_is_refused_costs_few_of_them() {
    for refusing in ["/organizations/10001/supporters", "/2.0/supporters/"] {
        let (client, script) = client(move |_, seen| {
            if seen.url.contains(refusing) {
                Ok(Reply::scripted(401, &[], r#"{"error":"invalid_token"}"#))
            } else {
                ok(r#"{"id":10001,"name":"The one"}"#)
            }
        });
        let is_list = refusing.ends_with("supporters");
        let ask = async |client: &Client, id: i64| {
            if is_list {
                let error = first_page(client).await.unwrap_err();
                assert!(matches!(error, Error::RefusedHere { .. }), "{error}");
            } else {
                let answer = client.one::<Supporter>(id).await.unwrap();
                assert!(
                    matches!(answer, Answer::Undecided(Doubt::Status(401))),
                    "{answer:?}"
                );
            }
        };
        for id in 1..=20 {
            ask(&client, id).await;
        }
        let spent = client.stats().token_requests;
        assert!(
            spent <= 4 && data(&script).len() <= 24,
            "{refusing}: {spent} tokens, {} requests",
            data(&script).len()
        );
        // It is found out anew after a while: it may have been mended, or the token at an end.
        tokio::time::sleep(Duration::from_secs(601)).await;
        ask(&client, 1).await;
        assert!(client.stats().token_requests > spent);
    }
}
