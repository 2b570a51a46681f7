//! G-9: what both engines promise to whoever reads.

use std::ops::ControlFlow;

use yj_kernel::{Dialect, Problem, Row, Sql, Tx, insert_rows};

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

#[tokio::test]
async fn g_6_2_3_a_list_of_nearly_everything_is_read_in_its_order() {
    let app = TestApp::start().await;
    let db = app.assembled.app.db();
    let mut tx = db.begin().await.unwrap();
    let table = "CREATE TABLE listed (id BIGINT NOT NULL PRIMARY KEY, region TEXT NOT NULL, \
                 label BIGINT NOT NULL)";
    tx.execute(Sql::new(table)).await.unwrap();
    tx.execute(Sql::new("CREATE INDEX listed_region ON listed (region, id, label)")).await.unwrap();
    tx.commit().await.unwrap();
    // One county in a hundred lies in another province.
    let rows = (0..5_000_i64).map(|id| {
        let region = if id % 100 == 7 { 620_102 } else { 610_102 + id % 30 };
        vec![id.into(), region.to_string().into(), 2_i64.into()]
    });
    let mut tx = db.begin().await.unwrap();
    for sql in insert_rows("INSERT INTO listed (id, region, label)", "", rows.collect()) {
        tx.execute(sql).await.unwrap();
    }
    tx.commit().await.unwrap();
    let plan = async |region: &str| {
        let mut sql = Sql::new("EXPLAIN ");
        if db.dialect() == Dialect::Sqlite {
            sql.push("QUERY PLAN ");
        }
        sql.push("SELECT id FROM listed WHERE region >= ").bind(region);
        sql.push(" AND region < ").bind(format!("{region}~"));
        sql.push(" AND label <= ").bind(3_i64).push(" ORDER BY id DESC LIMIT ").bind(20_i64);
        let mut tx = db.snapshot().await.unwrap();
        tx.plan_by_values();
        let rows = tx.fetch(sql).await.unwrap();
        let at = if db.dialect() == Dialect::Sqlite { 3 } else { 0 };
        let lines = rows.iter().map(|row| row.text(at).unwrap().to_lowercase());
        lines.collect::<Vec<_>>().join("\n")
    };
    // Whoever asks has asked before, and hears of what was learnt since.
    plan("61").await;
    db.learn().await.unwrap();
    db.learn().await.unwrap();
    let (all, few) = (plan("61").await, plan("62").await);
    assert!(!all.contains("sort") && !all.contains("temp b-tree"), "{all}");
    assert!(few.contains("listed_region"), "{few}");
}

#[tokio::test]
async fn g_9_two_readers_beside_each_other_see_one_state() {
    let app = TestApp::start().await;
    let db = app.assembled.app.db();
    let write = async |text: &'static str| {
        let mut tx = db.begin().await.unwrap();
        tx.execute(Sql::new(text)).await.unwrap();
        tx.commit().await.unwrap();
    };
    write("CREATE TABLE seen (x BIGINT NOT NULL PRIMARY KEY)").await;
    write("INSERT INTO seen VALUES (1)").await;
    let count = async |tx: &mut Tx| {
        let found = tx.fetch_one(Sql::new("SELECT COUNT(*) FROM seen")).await.unwrap();
        found.unwrap().int(0).unwrap()
    };
    let mut tx = db.snapshot().await.unwrap();
    assert_eq!(count(&mut tx).await, 1);
    write("INSERT INTO seen VALUES (2)").await;
    let beside = tx.beside().await.unwrap();
    assert_eq!(beside.is_some(), db.dialect() == Dialect::Postgres);
    if let Some(mut beside) = beside {
        assert_eq!(count(&mut beside).await, 1);
        assert!(beside.execute(Sql::new("INSERT INTO seen VALUES (3)")).await.is_err());
    }
    // Where every connection is taken, nobody waits for one.
    let mut others = Vec::new();
    while db.dialect() == Dialect::Postgres
        && let Some(other) = tx.beside().await.unwrap()
    {
        others.push(other);
    }
    assert!(others.len() < 30, "{}", others.len());
    assert_eq!(count(&mut tx).await, 1);
    drop((others, tx));
    assert_eq!(count(&mut db.snapshot().await.unwrap()).await, 2);
}
