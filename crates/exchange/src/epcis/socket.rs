//! Subscriptions over a WebSocket (ISO/IEC 19987 REST binding, `GET /queries/{name}/events`;
//! ADR 39): told over the connection that asks, for as long as it is open.

use axum::{
    extract::{
        FromRequestParts as _,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    http::{HeaderMap, header, request::Parts},
    response::Response,
};
use serde_json::json;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval, timeout};
use yj_http::Stopping;
use yj_kernel::{App, Ctx, Problem};

use super::{
    answer,
    header::{EpcFormat, Media},
    named::{self, note},
    news::{self, Interest, News},
    problem::{Exception, Refusal, Result},
    sockets::{Place, Sockets},
    store,
    terms::Terms,
};

/// Largest frame of a client: it has nothing to say but that it is there, or leaves.
const FRAME_MAX: usize = 4 << 10;
/// Frames of a client between two looks.
const FRAMES_MAX: usize = 64;
/// Longest query of an address.
const ADDRESS_MAX: usize = 2_000;
/// Looks that may fail one after the other, for reasons of our own.
const FAILURES_MAX: u32 = 5;
/// Time for the other end to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Whether a request wants a socket.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| {
        value.split(',').any(|one| one.trim().eq_ignore_ascii_case("websocket"))
    })
}

/// Opens a socket that tells of the events of a named query.
pub(crate) async fn open(
    ctx: Ctx,
    sockets: &Sockets,
    (name, address): (&str, &str),
    mut parts: Parts,
) -> Result<Response> {
    // A page of another site is refused before; what says no site is no page, and a session belongs
    // to pages.
    if ctx.principal().csrf.is_some() && !parts.headers.contains_key(header::ORIGIN) {
        let detail = "以会话打开的 WebSocket 须带本站的 Origin 请求头；系统对接请使用访问令牌";
        return Err(Problem::Forbidden(String::from(detail)).into());
    }
    if address.len() > ADDRESS_MAX {
        let detail = format!("订阅的参数至多 {ADDRESS_MAX} 个字符");
        return Err(Refusal::of(Exception::UriTooLong, detail));
    }
    Media::asked(&parts.headers, false)?;
    let format = EpcFormat::asked(&parts.headers)?;
    let terms = Terms::of_address(address)?;
    let stopping = parts.extensions.get::<Stopping>().cloned();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.map_err(|error| {
        let detail = format!("不是可以接受的 WebSocket（RFC 6455，版本 13）握手：{error}");
        Refusal::from(Problem::Malformed(detail))
    })?;
    let mut tx = ctx.begin().await?;
    let named = named::find(&ctx, &mut tx, name).await?;
    let (next_at, position) =
        (terms.first(ctx.now_ms())?, terms.begin(store::last(&mut tx).await?));
    let place = sockets.take(&ctx)?;
    let subscription = ctx.new_id::<()>().to_string();
    note(&ctx, &mut tx, ("epcis_socket", "opened"), (&subscription, json!({ "query": name })));
    tx.commit().await?;
    let interest = Interest { query: named.id, subscription, since: terms.since(), format };
    let name = named.name;
    let sockets = sockets.clone();
    let socket = Socket { ctx, sockets, interest, name, terms, position, next_at, told: 0, place };
    let upgrade = upgrade.max_message_size(FRAME_MAX).max_frame_size(FRAME_MAX);
    let mut response = upgrade.on_upgrade(move |line| socket.run(line, stopping));
    answer::tell_format(&mut response, format);
    Ok(response)
}

/// Why a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The other end has left.
    Gone,
    /// The other end has not been heard of.
    Silent,
    /// The other end reads too slowly.
    Slow,
    /// The other end said what it has no right to say, or too often that it is there.
    Spoke,
    /// What came was no frame, or too large a one, or the line broke.
    Broken,
    /// Whoever opened it would no longer be let in, or see events.
    Refused,
    /// The query is there no longer.
    NoQuery,
    /// This node stops.
    Stopping,
    /// It has been open for long enough.
    Old,
    /// Events could not be read.
    Failed,
}

impl Ending {
    const fn code(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Silent => "silent",
            Self::Slow => "slow",
            Self::Spoke => "spoke",
            Self::Broken => "broken",
            Self::Refused => "refused",
            Self::NoQuery => "no_query",
            Self::Stopping => "stopping",
            Self::Old => "old",
            Self::Failed => "failed",
        }
    }

    /// What the other end is told; nothing where it would not hear. At most 123 bytes.
    const fn farewell(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Gone | Self::Silent | Self::Slow => None,
            Self::Spoke => Some((close_code::UNSUPPORTED, "此连接只发送，不接收消息")),
            Self::Broken => Some((close_code::PROTOCOL, "收到的帧不合规定")),
            Self::Refused => Some((close_code::POLICY, "会话、客户端或权限已失效，请重新登录")),
            Self::NoQuery => Some((close_code::POLICY, "命名查询已删除")),
            Self::Stopping => Some((close_code::AWAY, "服务正在停止，请稍后重新连接")),
            Self::Old => Some((close_code::AWAY, "连接已达最长时间，请重新连接")),
            Self::Failed => Some((close_code::ERROR, "事件暂不能读出，请稍后重新连接")),
        }
    }
}

impl From<Problem> for Ending {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::NotFound(_) => Self::NoQuery,
            Problem::Forbidden(_) | Problem::Unauthenticated => Self::Refused,
            other => {
                other.log();
                Self::Failed
            }
        }
    }
}

/// An open subscription.
struct Socket {
    /// Who asked, as they were when they asked.
    ctx: Ctx,
    sockets: Sockets,
    interest: Interest,
    /// Name of the query.
    name: String,
    terms: Terms,
    /// Up to which event it has told.
    position: i64,
    /// When there is something to tell next, Unix ms.
    next_at: i64,
    /// Events told.
    told: usize,
    place: Place,
}

/// What happens on a line.
enum Happened {
    Stopping,
    Heard(Option<Result<Message, axum::Error>>),
    Look,
}

/// What a socket has last heard and done.
struct Pulse {
    opened: Instant,
    asked: Instant,
    checked: Instant,
    /// Questions since the other end was last heard of.
    unanswered: u32,
    /// Frames since the last look.
    frames: usize,
    /// Looks that have failed one after the other.
    failures: u32,
}

impl Pulse {
    fn begin() -> Self {
        let now = Instant::now();
        let (opened, asked, checked) = (now, now, now);
        Self { opened, asked, checked, unanswered: 0, frames: 0, failures: 0 }
    }

    /// Whether the line goes on after a frame.
    fn hear(&mut self, frame: Option<Result<Message, axum::Error>>) -> Result<(), Ending> {
        match frame {
            None | Some(Ok(Message::Close(_))) => Err(Ending::Gone),
            Some(Ok(Message::Text(_) | Message::Binary(_))) => Err(Ending::Spoke),
            // A line that is broken hears no farewell.
            Some(Err(_)) => Err(Ending::Broken),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                (self.unanswered, self.frames) = (0, self.frames + 1);
                if self.frames > FRAMES_MAX { Err(Ending::Spoke) } else { Ok(()) }
            }
        }
    }
}

impl Socket {
    async fn run(mut self, mut line: WebSocket, mut stopping: Option<Stopping>) {
        let Err(ending) = self.serve(&mut line, &mut stopping).await;
        if let Some((code, reason)) = ending.farewell() {
            let goodbye = async {
                let frame = CloseFrame { code, reason: reason.into() };
                if line.send(Message::Close(Some(frame))).await.is_ok() {
                    while let Some(Ok(_)) = line.recv().await {}
                }
            };
            // Who does not answer has been told all the same.
            let _ = timeout(GOODBYE, goodbye).await;
        }
        drop(line);
        if let Err(problem) = self.close(ending).await {
            problem.log();
        }
    }

    async fn close(self, ending: Ending) -> yj_kernel::Result<()> {
        let Self { ctx, interest, name, told, place, .. } = self;
        drop(place);
        let ctx = ctx.at(ctx.app().now());
        let mut tx = ctx.begin().await?;
        let body = json!({ "query": name, "events": told, "reason": ending.code() });
        note(&ctx, &mut tx, ("epcis_socket", "closed"), (&interest.subscription, body));
        tx.commit().await
    }

    /// Tells until something ends it.
    async fn serve(
        &mut self,
        line: &mut WebSocket,
        stopping: &mut Option<Stopping>,
    ) -> Result<std::convert::Infallible, Ending> {
        let mut pulse = Pulse::begin();
        let mut look = interval(self.sockets.limits().look);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let happened = tokio::select! {
                biased;
                () = begun(stopping) => Happened::Stopping,
                _ = look.tick() => Happened::Look,
                heard = line.recv() => Happened::Heard(heard),
            };
            match happened {
                Happened::Stopping => return Err(Ending::Stopping),
                Happened::Heard(frame) => pulse.hear(frame)?,
                Happened::Look => {
                    pulse.frames = 0;
                    self.tend(line, &mut pulse, stopping).await?;
                    self.look(line, &mut pulse, stopping).await?;
                }
            }
        }
    }

    /// Sees to the line itself, and to whoever opened it.
    async fn tend(
        &self,
        line: &mut WebSocket,
        pulse: &mut Pulse,
        stopping: &mut Option<Stopping>,
    ) -> Result<(), Ending> {
        let limits = *self.sockets.limits();
        if pulse.opened.elapsed() > limits.life {
            return Err(Ending::Old);
        }
        if pulse.asked.elapsed() >= limits.ping {
            if pulse.unanswered >= limits.unanswered_max {
                return Err(Ending::Silent);
            }
            (pulse.asked, pulse.unanswered) = (Instant::now(), pulse.unanswered + 1);
            self.send(line, Message::Ping(bytes()), stopping).await?;
        }
        if pulse.checked.elapsed() >= limits.recheck {
            pulse.checked = Instant::now();
            let fit = async {
                let ctx = self.reader().await?;
                let mut tx = ctx.snapshot().await?;
                named::require(&mut tx, &self.interest.query).await.map_err(Ending::from)
            };
            forgiven(pulse, fit.await)?;
        }
        Ok(())
    }

    /// Tells what there is to tell.
    async fn look(
        &mut self,
        line: &mut WebSocket,
        pulse: &mut Pulse,
        stopping: &mut Option<Stopping>,
    ) -> Result<(), Ending> {
        let now = self.app().now().as_millisecond();
        let found = self.news(now).await;
        let Some((news, last)) = forgiven(pulse, found)?.flatten() else { return Ok(()) };
        let (reached, events) = (news.reached, news.events);
        if news.is_told(self.terms.report_if_empty && self.terms.schedule.is_some()) {
            self.send(line, Message::Text(news.body.into()), stopping).await?;
            self.told += events;
        }
        self.position = reached;
        let next = if reached < last { Some(now) } else { self.terms.next(now) };
        self.next_at = next.unwrap_or(i64::MAX);
        Ok(())
    }

    /// The news whose time has come, and the number of the last event there is.
    async fn news(&self, now_ms: i64) -> Result<Option<(News, i64)>, Ending> {
        if now_ms < self.next_at {
            return Ok(None);
        }
        let last = self.sockets.latest(self.app()).await?;
        if self.terms.schedule.is_none() && self.position >= last {
            return Ok(None);
        }
        let ctx = self.reader().await?;
        let news = news::since(&ctx, &self.interest, (self.position, last)).await?;
        Ok(Some((news, last)))
    }

    fn app(&self) -> &App {
        self.ctx.app()
    }

    /// Whoever opened the line, with the rights they have now.
    async fn reader(&self) -> Result<Ctx, Ending> {
        if !self.sockets.admits(&self.ctx).await? {
            return Err(Ending::Refused);
        }
        Ok(self.app().on_behalf_of(self.ctx.actor(), news::PERMISSION).await?)
    }

    async fn send(
        &self,
        line: &mut WebSocket,
        message: Message,
        stopping: &mut Option<Stopping>,
    ) -> Result<(), Ending> {
        tokio::select! {
            sent = timeout(self.sockets.limits().send, line.send(message)) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Ending::Gone),
                Err(_) => Err(Ending::Slow),
            },
            () = begun(stopping) => Err(Ending::Stopping),
        }
    }
}

/// What a ping carries: nothing.
fn bytes() -> axum::body::Bytes {
    axum::body::Bytes::new()
}

async fn begun(stopping: &mut Option<Stopping>) {
    match stopping {
        Some(stopping) => stopping.begun().await,
        None => std::future::pending().await,
    }
}

/// Passes over failures of our own as long as they are few.
fn forgiven<T>(pulse: &mut Pulse, found: Result<T, Ending>) -> Result<Option<T>, Ending> {
    match found {
        Ok(found) => {
            pulse.failures = 0;
            Ok(Some(found))
        }
        Err(Ending::Failed) if pulse.failures < FAILURES_MAX => {
            pulse.failures += 1;
            Ok(None)
        }
        Err(ending) => Err(ending),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_fit_into_a_close_frame() {
        for ending in [
            Ending::Spoke,
            Ending::Broken,
            Ending::Refused,
            Ending::NoQuery,
            Ending::Stopping,
            Ending::Old,
            Ending::Failed,
        ] {
            let (_, reason) = ending.farewell().unwrap();
            assert!(reason.len() <= 123, "{reason}");
        }
    }

    #[test]
    fn a_socket_is_wanted_by_its_name() {
        let mut headers = HeaderMap::new();
        assert!(!is_wanted(&headers));
        headers.insert(header::UPGRADE, "h2c".parse().unwrap());
        assert!(!is_wanted(&headers));
        headers.insert(header::UPGRADE, "h2c, WebSocket".parse().unwrap());
        assert!(is_wanted(&headers));
    }
}
