//! Rows that no program should have written, as a database without constraints has them.

use alp_server::takeover::{Report, TakenOver};
use alp_tests::address_of;

use super::old_pool::{EXPECTED_HELD_E8, NewPool, OldPool, Target, choices, expected};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_stands_in_the_old_tables_is_taken_held_or_told_and_disturbs_nobody_else() {
    let Some(old) = OldPool::start().await else { return };
    let (odd, long) = (address_of("odd"), "k".repeat(50_000));
    old.database
        .execute(&format!(
            "INSERT INTO users (key, address, exchange, unit) VALUES (NULL, '{odd}', 'bter', 'btc'), \
             ('{long}', '{odd}', 'bter', 'btc'), ('odd', '{odd}', 'bter', 'btc'), ('bare', '{odd}', NULL, NULL); \
             INSERT INTO credits (time, key, exchange, unit, order_id, reward, paid) VALUES \
             (1, NULL, 'bter', 'btc', 1, 1, 0), (1, '{long}', 'bter', 'btc', 1e300, 2, 0), \
             ('NaN', 'odd', 'bter', 'btc', 'NaN', 3, 0), ('Infinity', 'odd', 'bter', 'btc', NULL, 'NaN', 0), \
             (1, 'odd', 'bter', 'btc', -1, 'Infinity', 0), (1, 'odd', 'bter', 'btc', 7.5, -4, 0), \
             (1, 'bare', NULL, NULL, NULL, 5, 0), (1, 'odd', 'bter', 'btc', 8, 6, NULL), \
             (1, 'odd', 'bter', 'btc', 8, 6, 17); \
             INSERT INTO orders (id, key, order_id, exchange, unit, credited) VALUES (6, 'x', 'y', NULL, NULL, 1)"
        ))
        .await;
    let new = NewPool::open(Target::Sqlite, old.folder()).await.unwrap();
    let found = old.look(&choices()).await.unwrap();
    let report = Report::new(&found, Vec::new(), &choices());
    assert_eq!(report.lost.odd_marks, 2);
    let text = report.table();
    for why in ["longer than 256 bytes", "3 of its credits have no readable reward", "name of its exchange"] {
        assert!(text.contains(why), "{why}\n{text}");
    }
    assert_eq!(old.take(&new, &found, &choices(), None).await.unwrap(), TakenOver::Done);
    // One of no key, two of one that is too long, three that can be read beside others, five of no exchange.
    assert_eq!((new.owed().await, new.held_e8().await), (expected(), EXPECTED_HELD_E8 + 1_100_000_000));
}
