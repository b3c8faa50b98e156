//! Lists: cut anywhere, laid out in every way, damaged at random, and bytes that are nothing at
//! all.

use super::super::envelope::list;
use super::super::{List, ListReader, NoList};
use super::{ORGANIZATION, good};
use crate::domain::Item;
use crate::entities::{Campaign, Record, Supporter, Transaction};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

#[test]
fn bytes_that_are_no_text_cost_only_their_own_record() {
    let body = [
        br#"{"total":3,"data":[{"id":1,"first_name":"Zo"#.as_slice(),
        b"\xff",
        br#""},{"id":2,"first_name":"Zo\u00eb"},{"id":3}]}"#,
    ]
    .concat();
    let items = list::<Supporter>(&body, ORGANIZATION).unwrap().items;
    assert!(
        matches!(&items[0], Item::Bad(reject) if reject.source_id == Some(1) && reject.detail == "record: not valid UTF-8")
    );
    assert!(matches!(&items[1], Item::Good(record) if record.first_name.as_deref() == Some("Zoë")));
    // A replacement character that was served as such is a text like any other.
    assert_eq!(
        good::<Supporter>("{\"id\":1,\"first_name\":\"\u{FFFD}\"}")
            .first_name
            .as_deref(),
        Some("\u{FFFD}")
    );
}

#[test]
fn a_page_cut_anywhere_is_no_page() {
    let body = format!(r#"{{"data":[{}],"total":1}}"#, sample!("supporter"));
    assert!(list::<Supporter>(body.as_bytes(), ORGANIZATION).is_ok());
    for end in 0..body.len() {
        assert!(
            list::<Supporter>(&body.as_bytes()[..end], ORGANIZATION).is_err(),
            "cut at {end}"
        );
    }
}

/// What comes of a body that arrives in pieces of this length.
fn in_pieces(body: &[u8], length: usize) -> Result<(Vec<Item<Transaction>>, u64), NoList> {
    let mut reader = ListReader::<Transaction>::new(ORGANIZATION, 1_000);
    for piece in body.chunks(length) {
        if reader.take(piece).is_break() {
            break;
        }
    }
    reader.finish().map(|list| (list.items, list.total))
}

#[test]
fn a_list_is_the_same_however_it_is_cut_into_pieces_and_laid_out() {
    let record = sample!("transaction");
    let layouts = [
        format!(r#"{{"data":[{record},{record}],"total":2}}"#),
        format!(
            "\n {{ \"total\" : 2 , \"queries_log\":[1,[2]],\t\"data\" : [ {record}\n,\r\n {record} ] \n}} \n"
        ),
        format!(
            r#"{{"a":{{"data":[1,2,3]}},"b\"data":[7],"data":[{record},{record}],"z":"}}]\"{{[","total":"2"}}"#
        ),
    ];
    for body in layouts {
        let whole = in_pieces(body.as_bytes(), usize::MAX).unwrap();
        assert_eq!((whole.0.len(), whole.1), (2, 2), "{body}");
        assert!(matches!(&whole.0[1], Item::Good(record) if record.id == 30_000_001));
        for length in [1, 2, 3, 5, 64, 1_000] {
            assert_eq!(
                in_pieces(body.as_bytes(), length).as_ref(),
                Ok(&whole),
                "{length}"
            );
        }
    }
}

#[test]
fn what_is_nearly_a_list_is_none() {
    for body in [
        r#"{"data":[{"id":1}{"id":2}],"total":2}"#,
        r#"{"data":[{"id":1},],"total":1}"#,
        r#"{"data":[,{"id":1}],"total":1}"#,
        r#"{"data":[{"id":1} 7],"total":1}"#,
        r#"{"data":[{"id":1,}],"total":1}"#,
        r#"{"data":[{"id":1 2}],"total":1}"#,
        r#"{"data":[{"id":"1]}],"total":1}"#,
        r#"{"data":[{"id":1}],"total":1}}"#,
        r#"{"data":[{"id":1}],"total":1} {"data":[]}"#,
        r#"{"data":[{"id":1}],"data":[{"id":2}],"total":1}"#,
        r#"{"data":[{"id":1}]"total":1}"#,
        r#"{"data":[[{"id":1}],"total":1}"#,
        r#"["data":[{"id":1}],"total":1]"#,
        r#"{"data":{"id":1},"total":1}"#,
        r#"{"nested":{"data":[{"id":1}]},"total":1}"#,
    ] {
        assert!(in_pieces(body.as_bytes(), 3).is_err(), "{body}");
    }
}

#[test]
fn a_page_with_far_more_records_than_were_asked_for_is_none() {
    let body = |count: usize| {
        format!(
            r#"{{"data":[{}],"total":{count}}}"#,
            vec![r#"{"id":1,"status":"success"}"#; count].join(",")
        )
    };
    assert_eq!(
        in_pieces(body(1_000).as_bytes(), 4_096).unwrap().0.len(),
        1_000
    );
    assert_eq!(
        in_pieces(body(1_001).as_bytes(), 4_096),
        Err(NoList::TooMany(1_000))
    );
}

/// Whatever comes: no panic, no record with an id that is none, and nothing of the body in a
/// reason.
fn survives<R: Record>(body: &[u8]) {
    if let Ok(List { items, .. }) = list::<R>(body, ORGANIZATION) {
        for item in items {
            match item {
                Item::Good(record) => assert!(record.id() > 0),
                Item::Bad(reject) => assert!(
                    !reject.detail.contains("Maribel") && reject.source_id.is_none_or(|id| id > 0)
                ),
            }
        }
    }
}

#[test]
fn random_damage_is_survived() {
    let seed: u64 = std::env::var("CLASSY_SYNC_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(rand::random);
    println!("seed {seed}: CLASSY_SYNC_TEST_SEED={seed} repeats this");
    let mut rng = SmallRng::seed_from_u64(seed);
    let body = format!(
        r#"{{"data":[{},{}],"total":2}}"#,
        sample!("transaction"),
        sample!("supporter")
    );
    let pieces: [&[u8]; 12] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b"null",
        b"-",
        b"1e999",
        b"\\ud800",
        b"\x00",
        b"\xf0\x9f",
        br#""id":"#,
    ];
    for _ in 0..3000 {
        let mut bytes = body.clone().into_bytes();
        for _ in 0..rng.random_range(1..6) {
            let from = rng.random_range(0..bytes.len());
            let to = (from + rng.random_range(0..20)).min(bytes.len());
            let piece = pieces.choose(&mut rng).unwrap();
            bytes.splice(from..to, piece.iter().copied());
        }
        survives::<Transaction>(&bytes);
        survives::<Supporter>(&bytes);
        let noise: Vec<u8> = (0..rng.random_range(0..64)).map(|_| rng.random()).collect();
        survives::<Campaign>(&noise);
    }
}
