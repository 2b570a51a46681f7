//! G-9: what both engines promise to whoever reads.

use std::ops::ControlFlow;

use yj_kernel::{Problem, Row, Sql};

use crate::harness::TestApp;

#[tokio::test]
async fn g_9_what_is_asked_ahead_is_answered_in_order_until_it_is_enough() {
    let app = TestApp::start().await;
    let mut tx = app.assembled.app.db().begin().await.unwrap();
    let table = "CREATE TABLE asked (x BIGINT NOT NULL PRIMARY KEY, name TEXT)";
    tx.execute(Sql::new(table)).await.unwrap();
    // What waits for the next trip goes before.
    tx.later([Sql::new("INSERT INTO asked VALUES (1, 'a'), (2, NULL), (3, 'c')")]);
    // More queries than are under way at a time, the slowest first.
    let queries = |count: i64| {
        let one = |at| Sql::new("SELECT x, name FROM asked WHERE x >= $1 ORDER BY x").arg(at);
        (0..count).map(|at| one(at % 4 + 1)).collect::<Vec<_>>()
    };
    let mut found = Vec::new();
    let take = |found: &mut Vec<Vec<i64>>, rows: &[Row]| {
        found.push(rows.iter().map(|row| row.int(0).unwrap()).collect());
        if found.len() == 9 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    tx.fetch_ahead(queries(20), |rows| Ok(take(&mut found, &rows))).await.unwrap();
    let each = [vec![1, 2, 3], vec![2, 3], vec![3], Vec::new()];
    assert_eq!(found, each.iter().cycle().take(9).cloned().collect::<Vec<_>>());
    // What was asked beyond is thrown away, and the transaction goes on.
    let names = tx.fetch(Sql::new("SELECT name FROM asked ORDER BY x")).await.unwrap();
    let names: Vec<_> = names.iter().map(|row| row.text_opt(0).unwrap()).collect();
    assert_eq!(names, [Some("a"), None, Some("c")]);
    // One that fails fails all, and so does whoever takes the answers.
    let refused = tx.fetch_ahead(queries(5), |_| Err(Problem::Malformed(String::from("样")))).await;
    assert!(matches!(refused, Err(Problem::Malformed(_))), "{refused:?}");
    let mut wrong = queries(5);
    wrong[3] = Sql::new("SELECT nothing FROM asked");
    let mut heard = 0;
    let counted = |_| {
        heard += 1;
        Ok(ControlFlow::Continue(()))
    };
    assert!(tx.fetch_ahead(wrong, counted).await.is_err());
    assert!(heard <= 3, "{heard}");
}
