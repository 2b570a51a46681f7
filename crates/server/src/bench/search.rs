//! The search of subjects (G-6.2.3) over a province of a million.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use yj_kernel::{Resource as _, load};
use yj_model::{SubjectCode, regions};
use yj_server::Assembled;
use yj_subject::TraceSubject;

use super::{client::Client, line, rate};
use crate::commands::say;

/// Rows of one transaction while loading.
const CHUNK: usize = 2_000;
/// Each search is asked this often, with other values each time.
const EACH: usize = 60;
const BUDGET: Duration = Duration::from_millis(300);

const TRADES: [&str; 20] = [
    "蔬菜",
    "果业",
    "茶叶",
    "粮油",
    "生猪",
    "肉牛",
    "羊业",
    "禽蛋",
    "奶业",
    "水产",
    "食用菌",
    "药材",
    "酒业",
    "饮料",
    "面粉",
    "调味品",
    "医药",
    "农资",
    "钛业",
    "机械",
];
const WORDS: [&str; 30] = [
    "秦源", "长安", "渭滨", "华清", "金穗", "绿野", "鑫丰", "惠农", "德润", "永兴", "泰和", "恒通",
    "瑞丰", "汇丰", "宏达", "万通", "九州", "天成", "福满", "康乐", "新民", "东升", "西岭", "南原",
    "北塬", "河湾", "山泉", "清溪", "古镇", "新城",
];
/// Kind, what its name ends in, and how many in a hundred.
const KINDS: [(&str, &str, usize); 4] = [
    ("07", "家庭农场", 45),
    ("08", "养殖户", 30),
    ("09", "股份经济合作社", 15),
    ("99", "加工点", 10),
];
const ROLES: [&str; 8] = ["10", "11", "21", "30", "31", "40", "41", "50"];
const DOMAINS: [&str; 4] = ["agri", "food", "drug", "industrial"];

/// The subject of a number: always the same one.
fn subject(number: usize, counties: &[&str]) -> Result<TraceSubject, String> {
    // Neighbouring numbers differ in everything.
    let at = |prime: usize, length: usize| (number * prime / 7) % length;
    let region = counties[at(7_919, counties.len())];
    let hundredth = at(31, 100);
    let mut below = 0;
    let kind = KINDS.iter().find(|(.., share)| {
        below += share;
        hundredth < below
    });
    let (kind, ending, _) = kind.unwrap_or(&KINDS[0]);
    let county = regions().get(region).map_or("", |found| found.name);
    let (word, trade) = (WORDS[at(104_729, WORDS.len())], TRADES[at(1_299_709, TRADES.len())]);
    let code = SubjectCode::issue(region.parse().map_err(|_| "区划代码有误")?, 7, index(number));
    let code = code.ok_or("代码用尽")?;
    let node = index(at(611, 900));
    let day = format!("20{:02}-{:02}-{:02}", 21 + at(3, 6), 1 + at(1_013, 12), 1 + at(2_011, 28));
    Ok(TraceSubject {
        code: Some(code),
        name: format!("示例{county}{word}{trade}{ending}{number}"),
        kind: String::from(*kind),
        roles: vec![String::from(ROLES[at(53, ROLES.len())])],
        region: region.parse().map_err(|_| "区划代码有误")?,
        node_code: Some(format!("{region}{:03}", node % 1_000)),
        node_name: Some(format!("示例{county}{word}市场")),
        product_kinds: Some(vec![String::from(DOMAINS[at(17, DOMAINS.len())])]),
        filed_on: Some(day),
        status: Some(yj_subject::Status::Valid),
        ..TraceSubject::sample(index(number))
    })
}

fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// One condition of clause 6.2.3, with a value that differs from one question to the next.
fn condition(name: &str, number: usize, counties: &[&str]) -> String {
    let at = |prime: usize, length: usize| (number * prime / 7) % length;
    let county = counties[at(7_919, counties.len())];
    let (word, trade) = (WORDS[at(104_729, WORDS.len())], TRADES[at(1_299_709, TRADES.len())]);
    let name_of = |code: &str| regions().get(code).map_or("", |found| found.name);
    match name {
        "所属区域（省）" => String::from("region=610000"),
        "所属区域（市）" => format!("region={}00", &county[..4]),
        "所属区域（县）" => format!("region={county}"),
        "企业类型" => format!("kind={}", KINDS[at(31, KINDS.len())].0),
        "产品种类" => format!("product_kinds={}", DOMAINS[at(17, DOMAINS.len())]),
        "节点名称" => format!("node_name={}", encoded(&format!("{}{word}", name_of(county)))),
        "节点编码" => format!("node_code={county}{:03}", at(611, 900)),
        "备案时间（一月）" => {
            let (year, month) = (21 + at(3, 6), 1 + at(5, 12));
            format!("filed_on.from=20{year}-{month:02}-01&filed_on.to=20{year}-{month:02}-28")
        }
        "备案时间（三年）" => {
            String::from("filed_on.from=2022-01-01&filed_on.to=2024-12-31")
        }
        "名称：两个常见字" => format!("name={}", encoded(word)),
        "名称：行业与形式" => format!("name={}", encoded(&format!("{trade}家庭农场"))),
        "名称：县名与字号" => {
            format!("name={}", encoded(&format!("{}{word}", name_of(county))))
        }
        "名称：一个字" => format!("name={}", encoded(&word[..3])),
        "名称：没有的" => format!("name={}", encoded("没有这样的名称")),
        "名称：全拼" => {
            String::from(["name=qinyuanshucai", "name=huaqingchaye", "name=yongxing"][number % 3])
        }
        "名称：首字母" => String::from(["name=qysc", "name=hqcyjtnc", "name=yx"][number % 3]),
        "名称：编号" => format!("name={number}"),
        _ => String::new(),
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Searches, each of one or several conditions.
const SEARCHES: &[&[&str]] = &[
    &[],
    &["所属区域（省）"],
    &["所属区域（市）"],
    &["所属区域（县）"],
    &["企业类型"],
    &["产品种类"],
    &["节点名称"],
    &["节点编码"],
    &["备案时间（一月）"],
    &["备案时间（三年）"],
    &["名称：两个常见字"],
    &["名称：行业与形式"],
    &["名称：县名与字号"],
    &["名称：一个字"],
    &["名称：没有的"],
    &["名称：全拼"],
    &["名称：首字母"],
    &["名称：编号"],
    &["所属区域（市）", "企业类型"],
    &["所属区域（县）", "企业类型", "产品种类"],
    &["企业类型", "产品种类"],
    &["企业类型", "备案时间（一月）"],
    &["产品种类", "备案时间（三年）", "企业类型"],
    &["名称：两个常见字", "企业类型"],
    &["名称：两个常见字", "所属区域（市）"],
    &["名称：行业与形式", "所属区域（县）"],
    &["节点名称", "企业类型", "备案时间（三年）"],
    &["所属区域（市）", "企业类型", "产品种类", "节点名称", "备案时间（三年）", "名称：两个常见字"],
];

pub(super) async fn run(
    (assembled, folder): (&Assembled, &Path),
    subjects: usize,
) -> Result<(), String> {
    let counties: Vec<_> = regions()
        .children(Some("610000"))
        .flat_map(|city| regions().children(Some(city.code)))
        .map(|county| county.code)
        .collect();
    if super::subjects(assembled).await?
        < i64::try_from(subjects).map_err(|error| error.to_string())?
    {
        move_in(assembled, subjects, &counties).await?;
    }
    // As a server does after a while.
    assembled.app.db().learn().await.map_err(say)?;
    // Sessions end while nothing is asked.
    let client = Client::log_in(assembled, folder).await?;
    let mut slow = 0;
    for search in SEARCHES {
        let (mut pages, mut counts) = (Vec::with_capacity(EACH), Vec::with_capacity(EACH));
        let mut found = serde_json::Value::Null;
        for number in 0..EACH {
            let conditions = search.iter().map(|name| condition(name, number, &counties));
            let conditions = conditions.collect::<Vec<_>>().join("&");
            let path = format!("/api/v1/trace_subject?{conditions}");
            pages.push(timed(&client, &format!("{path}&per_page=20")).await?.0);
            let (took, answer) = timed(&client, &format!("{path}&count=only")).await?;
            counts.push(took);
            found = answer["total"].clone();
        }
        let [page, count] = [pages, counts].map(|mut times| {
            times.sort_unstable();
            (times[EACH / 2], times[EACH * 95 / 100])
        });
        let over = page.1 > BUDGET || count.1 > BUDGET;
        slow += usize::from(over);
        let name = if search.is_empty() { String::from("全部") } else { search.join(" + ") };
        let more = if found["more"] == true { "+" } else { "" };
        let figure = format!(
            "{:.1?} / {:.1?}，总数 {:.1?} / {:.1?}，末次 {}{more} 条",
            page.0, page.1, count.0, count.1, found["count"],
        );
        line(&name, &figure, if over { "p95 ≤ 300 ms，超出" } else { "p95 ≤ 300 ms" });
    }
    line("超出预算的检索", &slow.to_string(), "0");
    Ok(())
}

async fn timed(client: &Client, path: &str) -> Result<(Duration, serde_json::Value), String> {
    let begun = Instant::now();
    let answer = client.get(path).await?;
    let took = begun.elapsed();
    Ok((took, serde_json::from_slice(&answer).map_err(|error| error.to_string())?))
}

async fn move_in(assembled: &Assembled, subjects: usize, counties: &[&str]) -> Result<(), String> {
    let begun = Instant::now();
    let ctx = assembled.app.on_own_behalf("bench");
    for start in (0..subjects).step_by(CHUNK) {
        let until = (start + CHUNK).min(subjects);
        let chunk = (start..until).map(|number| subject(number, counties));
        let chunk = chunk.collect::<Result<Vec<_>, _>>()?;
        let mut tx = ctx.begin().await.map_err(say)?;
        load(&ctx, &mut tx, &chunk).await.map_err(say)?;
        tx.commit().await.map_err(say)?;
    }
    line("登记追溯主体（成批装入）", &rate(subjects, begun.elapsed()), "");
    Ok(())
}
