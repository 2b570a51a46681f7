//! EPCIS documents: how fast they are taken in, how long questions take over what is kept, and what
//! one long document asks of the memory.

use std::{
    io::Read,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};
use yj_epcis::{Document, Json, Limits, XmlForm, document_to_xml};
use yj_model::SubjectCode;
use yj_server::Assembled;

use super::{client::Client, forget_peak, line, memory, percentiles, rate, subject};
use crate::commands::say;

/// Events of one small document.
const SMALL: usize = 200;
/// Text of one event of the long document: a hundred thousand of them are 100 MB.
const LONG_EVENT: usize = 1_000;
/// Things that the events of the long document are about.
const THINGS: usize = 5_000;
/// Questions of each kind.
const QUESTIONS: usize = 200;
/// The memory that a document of any length may ask for.
const MEMORY: &str = "增加 < 300 MiB";
/// How often a client asks how far it is.
const PACE: Duration = Duration::from_millis(100);
/// A document that has not been read by then never will be.
const PATIENCE: Duration = Duration::from_hours(1);

/// Measures with a long document of so many events, and a tenth of them in short ones. What is asked is
/// asked of a tenth of them first: how much longer it takes of all is how it grows.
pub(super) async fn run(
    (assembled, folder): (&Assembled, &Path),
    events: usize,
) -> Result<(), String> {
    let subject = subject(assembled).await?;
    let client = Client::log_in(assembled, folder).await?;
    let (stop, stopped) = watch::channel(false);
    let address = serve(assembled, &stopped).await?;
    let worker = tokio::spawn(yj_kernel::jobs::work(assembled.app.clone(), stopped));
    let scene = Scene { assembled, client, subject, address };
    let measured = measure(&scene, events).await;
    let _ = stop.send(true);
    worker.await.map_err(|error| error.to_string())?;
    measured
}

async fn measure(scene: &Scene<'_>, events: usize) -> Result<(), String> {
    let few = (events / 10).max(SMALL);
    scene.at_once(few, Form::Json).await?;
    scene.at_once(few, Form::Xml).await?;
    scene.as_job(few, Form::Json).await?;
    scene.as_job(few, Form::Xml).await?;
    let (tenth, events) = ((events / 10).max(1), events.max(2));
    scene.long(0..tenth).await?;
    scene.name_query().await?;
    let before = scene.questions((tenth, "之前")).await?;
    scene.long(tenth..events).await?;
    let after = scene.questions((events, "之后")).await?;
    println!("之后与之前的 p50 之比");
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        let ratio = after.as_secs_f64() / before.as_secs_f64();
        line(&format!("　{name}"), &format!("{ratio:.2}"), "—");
    }
    Ok(())
}

/// The whole server on a connection of this machine.
async fn serve(assembled: &Assembled, stopped: &watch::Receiver<bool>) -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let (router, metrics) = (assembled.router.clone(), assembled.metrics.clone());
    let mut stopped = stopped.clone();
    tokio::spawn(async move {
        let stop = async move {
            // Whoever measures has gone when it is over, too.
            let _ = stopped.changed().await;
        };
        yj_http::serve(listener, router, (yj_http::Limits::default(), metrics), stop).await
    });
    Ok(format!("http://{address}"))
}

/// Writes the question of a number.
type Ask<'a> = Box<dyn Fn(usize) -> String + 'a>;

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Xml,
}

impl Form {
    const fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON-LD",
            Self::Xml => "XML",
        }
    }

    const fn media(self) -> &'static str {
        match self {
            Self::Json => "application/ld+json",
            Self::Xml => "application/xml",
        }
    }
}

/// What is measured, and as whom.
struct Scene<'a> {
    assembled: &'a Assembled,
    client: Client,
    subject: SubjectCode,
    address: String,
}

impl Scene<'_> {
    /// Small documents, each kept with its 追溯事件 when it is answered.
    async fn at_once(&self, events: usize, form: Form) -> Result<(), String> {
        let documents: Vec<String> = (0..events / SMALL)
            .map(|number| self.harvests(("S", form), number * SMALL..(number + 1) * SMALL))
            .collect::<Result<_, _>>()?;
        let begun = Instant::now();
        for document in documents {
            let capture = self.send(Box::new(std::io::Cursor::new(document)), form).await?;
            self.require(&capture, (SMALL, SMALL)).await?;
        }
        let name = format!("当场采集（{}，每份 {SMALL} 个）", form.name());
        line(&name, &rate(events / SMALL * SMALL, begun.elapsed()), "≥ 5000 条/秒");
        Ok(())
    }

    /// One document that a job reads.
    async fn as_job(&self, events: usize, form: Form) -> Result<(), String> {
        let document = self.harvests(("J", form), 0..events)?;
        let begun = Instant::now();
        let capture = self.send(Box::new(std::io::Cursor::new(document)), form).await?;
        self.wait(&capture, |_| {}).await?;
        self.require(&capture, (events, events)).await?;
        let name = format!("任务采集（{}，一份 {events} 个）", form.name());
        line(&name, &rate(events, begun.elapsed()), "≥ 5000 条/秒");
        Ok(())
    }

    /// One document of any length, watched while it is read.
    async fn long(&self, numbers: std::ops::Range<usize>) -> Result<(), String> {
        let events = numbers.len();
        forget_peak();
        let (before, _) = memory();
        let begun = Instant::now();
        let code = self.subject.to_string();
        let document = Written::new(move |number| long_event(&code, number), numbers);
        let capture = self.send(Box::new(document), Form::Json).await?;
        let size = events * LONG_EVENT / 1_000_000;
        let name = format!("一份 {size} MB 的文档：上传");
        line(&name, &format!("{:.1?}", begun.elapsed()), "≤ 60 s");
        let begun = Instant::now();
        let (mut looks, mut last) = (0, 0);
        self.wait(&capture, |found| {
            let count = |name: &str| found[name].as_u64().unwrap_or_default();
            let far = count("checked") + count("captured");
            looks += 1;
            if far > last + events as u64 / 10 {
                println!("　进度：已检查 {}，已收下 {}", count("checked"), count("captured"));
                last = far;
            }
        })
        .await?;
        self.require(&capture, (events, 0)).await?;
        line("　读完并收下", &rate(events, begun.elapsed()), "—");
        line("　其间查询进度", &format!("{looks} 次"), "—");
        let (_, peak) = memory();
        let figure = match before.zip(peak) {
            Some((before, peak)) => {
                let more = peak.saturating_sub(before);
                format!("{before} → 峰值 {peak} MiB（增加 {more}）")
            }
            None => String::from("不详"),
        };
        line("　内存", &figure, MEMORY);
        Ok(())
    }

    async fn name_query(&self) -> Result<(), String> {
        let query = json!({ "name": "bench", "query": { "EQ_bizStep": "shipping" } });
        self.client.post("/epcis/v2/queries", &query).await.map(drop)
    }

    /// What people ask, over everything that is kept by now: of each how long it takes, p50.
    async fn questions(
        &self,
        (events, when): (usize, &str),
    ) -> Result<Vec<(&'static str, Duration)>, String> {
        let kept = kept(self.assembled).await?;
        println!("{when}：库中 {kept} 个 EPCIS 事件，每问 {QUESTIONS} 次");
        let thing = |number: usize| format!("urn:example:bench:thing:{}", number * 7 % THINGS);
        let spread_over = events.max(1);
        let day = |number: usize| number % 28 + 1;
        let asked: [(&'static str, Ask<'_>); 11] = [
            ("某件物品的事件", Box::new(|n| format!("events?MATCH_epc={}", thing(n)))),
            (
                "某件物品的任何事件",
                Box::new(|n| format!("events?MATCH_anyEPC={}&EQ_action=OBSERVE", thing(n))),
            ),
            (
                "一个事件",
                Box::new(move |n| {
                    format!("events/urn:example:bench:long:{}", n * 97 % spread_over)
                }),
            ),
            (
                "一天内的发运",
                Box::new(move |n| {
                    format!(
                        "events?EQ_bizStep=shipping&GE_eventTime=2026-01-{:02}T08:00:00Z&LT_eventTime=2026-01-{:02}T16:00:00Z",
                        day(n),
                        day(n)
                    )
                }),
            ),
            (
                "某读取点最近的",
                Box::new(|n| {
                    format!(
                        "events?EQ_readPoint=urn:example:bench:gate:{}&orderBy=eventTime&orderDirection=DESC",
                        n % 20
                    )
                }),
            ),
            (
                "某业务地点之下的",
                Box::new(|n| format!("events?WD_bizLocation=urn:example:bench:site:{}", n % 20)),
            ),
            (
                "新近记录的一页",
                Box::new(|n| {
                    format!("events?orderBy=recordTime&orderDirection=DESC&perPage={}", n % 50 + 1)
                }),
            ),
            (
                "某步骤之后的一页",
                Box::new(move |n| {
                    format!(
                        "events?EQ_bizStep=shipping&GE_eventTime=2026-01-{:02}T08:00:00Z",
                        day(n)
                    )
                }),
            ),
            ("命名查询的一页", Box::new(|_| String::from("queries/bench/events?perPage=30"))),
            ("业务步骤有哪些", Box::new(|_| String::from("bizSteps"))),
            ("物品有哪些", Box::new(|n| format!("epcs?perPage={}", n % 50 + 1))),
        ];
        let mut medians = Vec::with_capacity(asked.len());
        for (name, ask) in asked {
            let mut times = Vec::with_capacity(QUESTIONS);
            for number in 0..QUESTIONS {
                let begun = Instant::now();
                self.client.get(&format!("/epcis/v2/{}", ask(number))).await?;
                times.push(begun.elapsed());
            }
            percentiles((&format!("　{name} p50 / p95"), "—"), &mut times, (50, 95));
            medians.push((name, times[times.len() / 2]));
        }
        Ok(medians)
    }

    /// Sends a document over the network; where its capture is to be found.
    async fn send(&self, body: Box<dyn Read + Send>, form: Form) -> Result<String, String> {
        let url = format!("{}/epcis/v2/capture", self.address);
        let bearer = format!("Bearer {}", self.client.token());
        let sent = tokio::task::spawn_blocking(move || upload(&url, &bearer, (body, form)));
        sent.await.map_err(|error| error.to_string())?
    }

    async fn capture(&self, place: &str) -> Result<Value, String> {
        let answer = self.client.get(place).await?;
        serde_json::from_slice(&answer).map_err(|error| error.to_string())
    }

    #[expect(clippy::disallowed_methods, reason = "a client looks again and again, as people do")]
    async fn wait(&self, place: &str, mut look: impl FnMut(&Value)) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let found = self.capture(place).await?;
            look(&found);
            if found["running"] == false {
                return Ok(());
            }
            tokio::time::sleep(PACE).await;
        }
        Err(format!("{place} 超过 {PATIENCE:?} 仍未完成"))
    }

    /// Everything must have been kept, and so much of it told.
    async fn require(&self, place: &str, (events, told): (usize, usize)) -> Result<(), String> {
        let found = self.capture(place).await?;
        if found["success"] == true && found["captured"] == events && found["told"] == told {
            return Ok(());
        }
        Err(format!("采集没有全部成功：{found}"))
    }

    /// A document of harvests, each of which tells a 追溯事件.
    fn harvests(
        &self,
        (series, form): (&str, Form),
        numbers: std::ops::Range<usize>,
    ) -> Result<String, String> {
        let name = |number| format!("{series}{}{number:09}", form.name());
        let event = |number| harvest(&self.subject, &name(number));
        let events: Vec<Value> = numbers.map(event).collect();
        let mut document = frame();
        document["epcisBody"]["eventList"] = Value::from(events);
        let text = document.to_string();
        if form == Form::Json {
            return Ok(text);
        }
        let json = Json::parse(text.as_bytes(), &Limits::default()).map_err(say_text)?;
        document_to_xml(&Document::new(json), XmlForm::V2_0)
            .map_err(|faults| format!("不能写成 XML：{faults:?}"))
    }
}

fn say_text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn upload(
    url: &str,
    bearer: &str,
    (mut body, form): (Box<dyn Read + Send>, Form),
) -> Result<String, String> {
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_mins(10)))
        .http_status_as_error(false)
        .build()
        .new_agent();
    let request = agent.post(url).header("authorization", bearer);
    let request = request.header("content-type", form.media());
    let mut answer = request
        .send(ureq::SendBody::from_reader(&mut body))
        .map_err(|error| format!("{url}：{error}"))?;
    let place = answer.headers().get("location").and_then(|place| place.to_str().ok());
    match place.map(String::from) {
        Some(place) if answer.status().is_success() => Ok(place),
        _ => {
            let text = answer.body_mut().read_to_string().unwrap_or_default();
            Err(format!("{}：{text}", answer.status()))
        }
    }
}

fn frame() -> Value {
    json!({
        "@context": [yj_epcis::EPCIS_CONTEXT, { "yj": "urn:yj:epcis:" }],
        "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-01-01T08:00:00+08:00",
        "epcisBody": { "eventList": [] },
    })
}

fn harvest(subject: &SubjectCode, name: &str) -> Value {
    json!({
        "type": "ObjectEvent", "eventID": format!("urn:example:bench:{name}"), "action": "ADD",
        "bizStep": "commissioning", "eventTime": "2026-01-01T08:00:00+08:00",
        "eventTimeZoneOffset": "+08:00", "ilmd": { "yj:plot": "测量" },
        "quantityList": [{ "epcClass": format!("urn:example:BENCH:{name}"), "quantity": 100, "uom": "KGM" }],
        "yj:domain": "agri", "yj:type": "harvest", "yj:subject": subject,
    })
}

/// One event of the long document, of [`LONG_EVENT`] bytes.
fn long_event(subject: &str, number: usize) -> String {
    let mut event = json!({
        "type": "ObjectEvent", "eventID": format!("urn:example:bench:long:{number}"),
        "action": "OBSERVE", "bizStep": if number.is_multiple_of(3) { "shipping" } else { "receiving" },
        "eventTime": format!("2026-01-{:02}T{:02}:00:00Z", number % 28 + 1, number % 24),
        "eventTimeZoneOffset": "+08:00",
        "epcList": [format!("urn:example:bench:thing:{}", number % THINGS)],
        "readPoint": { "id": format!("urn:example:bench:gate:{}", number % 20) },
        "bizLocation": { "id": format!("urn:example:bench:site:{}", number % 20) },
        "yj:subject": subject, "yj:note": "",
    });
    let padding = LONG_EVENT.saturating_sub(event.to_string().len() + 1);
    event["yj:note"] = Value::from("x".repeat(padding));
    event.to_string()
}

/// A document that is written while it is read, so that whoever sends it does not hold it.
struct Written {
    event: Arc<dyn Fn(usize) -> String + Send + Sync>,
    first: usize,
    next: usize,
    end: usize,
    current: std::io::Cursor<Vec<u8>>,
}

impl Written {
    /// With the events of these numbers.
    fn new(
        event: impl Fn(usize) -> String + Send + Sync + 'static,
        numbers: std::ops::Range<usize>,
    ) -> Self {
        let frame = frame();
        let head = format!(
            "{{\"@context\":{},\"type\":\"EPCISDocument\",\"schemaVersion\":\"2.0\",\
             \"creationDate\":{},\"epcisBody\":{{\"eventList\":[",
            frame["@context"], frame["creationDate"]
        );
        let current = std::io::Cursor::new(head.into_bytes());
        let (first, end) = (numbers.start, numbers.end);
        Self { event: Arc::new(event), first, next: first, end, current }
    }
}

impl Read for Written {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let count = self.current.read(buffer)?;
            if count > 0 || buffer.is_empty() || self.next > self.end {
                return Ok(count);
            }
            let text = match self.next {
                last if last == self.end => String::from("]}}"),
                first if first == self.first => (self.event)(first),
                number => format!(",{}", (self.event)(number)),
            };
            self.next += 1;
            self.current = std::io::Cursor::new(text.into_bytes());
        }
    }
}

async fn kept(assembled: &Assembled) -> Result<i64, String> {
    let mut tx = assembled.app.db().snapshot().await.map_err(say)?;
    let sql = yj_kernel::Sql::new("SELECT COUNT(*) FROM epcis_event");
    let row = tx.fetch_one(sql).await.map_err(say)?;
    row.map_or(Ok(0), |row| row.int(0)).map_err(say)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_document_is_whole_and_as_long_as_it_says() {
        let mut text = String::new();
        let event = |number| long_event("91610000000000000X", number);
        Written::new(event, 0..50).read_to_string(&mut text).unwrap();
        let json = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let document = Document::new(json);
        assert_eq!(document.events().len(), 50);
        assert!((49 * LONG_EVENT..52 * LONG_EVENT).contains(&text.len()), "{}", text.len());
    }
}
