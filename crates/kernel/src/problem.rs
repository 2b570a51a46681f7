//! What can go wrong, as far as a caller may know (RFC 9457).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

tokio::task_local! {
    /// The request being answered, so that problems and logs can name it.
    pub(crate) static REQUEST_ID: String;
}

/// The result of anything a request can reach.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field or parameter, such as `events[3].outputs[0].quantity`.
    pub field: String,
    /// A sentence for people: what is wrong and what would be right.
    pub detail: String,
}

/// One variant per answer a client can act on. Anything the client cannot act on is
/// [`Problem::Internal`], whose cause is logged and never sent.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Understood, but some fields are wrong.
    #[error("{}", summary(.0))]
    Invalid(Vec<FieldError>),
    /// Not even readable.
    #[error("{0}")]
    Malformed(String),
    /// Nobody is signed in.
    #[error("请先登录")]
    Unauthenticated,
    /// The log-in was refused; says no more than that.
    #[error("{0}")]
    LoginRefused(String),
    /// The signature of a request does not hold.
    #[error("{0}")]
    Signature(String),
    /// The signed-in user lacks the right.
    #[error("{0}")]
    Forbidden(String),
    /// The act is dangerous and wants a factor shown anew.
    #[error("此操作需要再次验证身份，请在 5 分钟内重新验证口令与第二因素")]
    StepUp,
    /// Only the password has been shown so far.
    #[error("{0}")]
    SecondFactor(&'static str),
    /// The password is too old or was set by somebody else.
    #[error("口令已到期或由他人设置，请先修改口令")]
    PasswordExpired,
    /// Too many wrong attempts.
    #[error("{0}")]
    Locked(String),
    /// It was there once and has expired or been used.
    #[error("{0}")]
    Gone(String),
    /// No such record, or none this user may know of.
    #[error("{0}不存在")]
    NotFound(&'static str),
    /// The record's current state does not allow this.
    #[error("{0}")]
    Conflict(String),
    /// Somebody else changed the record meanwhile.
    #[error("{0}已被他人修改，请刷新后重试")]
    Stale(&'static str),
    /// The same, with what now differs from the change that was sent.
    #[error("{title}已被他人修改为第 {version} 版，与您提交的有 {} 处不同；请核对后按新版本提交", .differing.len())]
    Overtaken {
        /// What kind of record.
        title: &'static str,
        /// The version it has now.
        version: i64,
        /// Each field that differs.
        differing: Vec<FieldError>,
    },
    /// It exists already.
    #[error("{0}")]
    Duplicate(Doubled),
    /// Over a limit of size or number.
    #[error("{0}")]
    TooLarge(String),
    /// The content type is not one we read.
    #[error("{0}")]
    UnsupportedMediaType(String),
    /// Too often.
    #[error("{0}")]
    TooMany(String),
    /// Try again later.
    #[error("{0}")]
    Unavailable(String),
    /// Our fault. The cause chain goes to the log.
    #[error("服务内部错误")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// That something exists already, and by which columns of its table that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubled {
    detail: String,
    /// The columns whose values belong to something else; empty where nobody knows.
    pub(crate) columns: Vec<String>,
    /// The field that is wrong, as clients call it.
    field: Option<String>,
}

impl Doubled {
    /// As the database says it: known by these columns.
    pub(crate) fn by(columns: Vec<String>) -> Self {
        Self { detail: String::from("记录已存在"), columns, field: None }
    }

    /// In words about one field.
    pub fn at(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), columns: Vec::new(), field: Some(field.into()) }
    }
}

impl From<String> for Doubled {
    fn from(detail: String) -> Self {
        Self { detail, columns: Vec::new(), field: None }
    }
}

impl std::fmt::Display for Doubled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.detail)
    }
}

fn summary(errors: &[FieldError]) -> String {
    match errors {
        [] => String::from("请求内容有误"),
        [one] => one.detail.clone(),
        [first, rest @ ..] => format!("{}（另有 {} 处错误）", first.detail, rest.len()),
    }
}

impl Problem {
    /// One wrong field.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), detail: detail.into() }])
    }

    /// It exists already.
    pub fn duplicate(detail: impl Into<String>) -> Self {
        Self::Duplicate(Doubled::from(detail.into()))
    }

    /// An internal error from any cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// Prefixes the path of every field error: `quantity` becomes `outputs[0].quantity`.
    #[must_use]
    pub fn within(self, prefix: &str) -> Self {
        match self {
            Self::Invalid(errors) => Self::Invalid(
                errors
                    .into_iter()
                    .map(|error| FieldError { field: format!("{prefix}{}", error.field), ..error })
                    .collect(),
            ),
            other => other,
        }
    }

    /// The stable code, HTTP status and title.
    pub fn class(&self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::Invalid(_) => ("invalid", StatusCode::UNPROCESSABLE_ENTITY, "请求内容有误"),
            Self::Malformed(_) => ("malformed", StatusCode::BAD_REQUEST, "请求无法读取"),
            Self::Unauthenticated => ("unauthenticated", StatusCode::UNAUTHORIZED, "未登录"),
            Self::LoginRefused(_) => ("login-refused", StatusCode::UNAUTHORIZED, "登录未成功"),
            Self::Signature(_) => ("bad-signature", StatusCode::UNAUTHORIZED, "签名不符"),
            Self::Forbidden(_) => ("forbidden", StatusCode::FORBIDDEN, "没有权限"),
            Self::StepUp => ("step-up", StatusCode::FORBIDDEN, "需要再次验证"),
            Self::SecondFactor(_) => ("second-factor", StatusCode::FORBIDDEN, "需要第二因素"),
            Self::PasswordExpired => ("password-expired", StatusCode::FORBIDDEN, "口令已到期"),
            Self::Locked(_) => ("locked", StatusCode::LOCKED, "已锁定"),
            Self::Gone(_) => ("gone", StatusCode::GONE, "已失效"),
            Self::NotFound(_) => ("not-found", StatusCode::NOT_FOUND, "不存在"),
            Self::Conflict(_) => ("conflict", StatusCode::CONFLICT, "当前状态不允许"),
            Self::Stale(_) | Self::Overtaken { .. } => {
                ("stale-version", StatusCode::CONFLICT, "版本已变化")
            }
            Self::Duplicate(_) => ("duplicate", StatusCode::CONFLICT, "重复"),
            Self::TooLarge(_) => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "内容过大"),
            Self::UnsupportedMediaType(_) => {
                ("unsupported-media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "不支持的内容类型")
            }
            Self::TooMany(_) => {
                ("too-many-requests", StatusCode::TOO_MANY_REQUESTS, "请求过于频繁")
            }
            Self::Unavailable(_) => ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "暂不可用"),
            Self::Internal(_) => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "服务内部错误"),
        }
    }

    /// The problem as clients see it, alone or inside a list of results.
    pub fn body(&self) -> Value {
        let (code, status, title) = self.class();
        let mut body = json!({
            "type": format!("/problems/{code}"), "title": title, "status": status.as_u16(),
            "code": code, "detail": self.to_string(),
        });
        if let Ok(id) = REQUEST_ID.try_with(Clone::clone) {
            body["request_id"] = Value::from(id);
        }
        let errors = |errors: &[FieldError]| {
            let error =
                |error: &FieldError| json!({ "field": error.field, "detail": error.detail });
            errors.iter().map(error).collect::<Value>()
        };
        match self {
            Self::Invalid(wrong) => body["errors"] = errors(wrong),
            Self::Duplicate(Doubled { field: Some(field), detail, .. }) => {
                body["errors"] = json!([{ "field": field, "detail": detail }]);
            }
            Self::Overtaken { version, differing, .. } => {
                body["errors"] = errors(differing);
                body["version"] = Value::from(*version);
            }
            _ => {}
        }
        body
    }

    /// Writes the cause chain of an internal error to the log, once.
    pub fn log(&self) {
        let Self::Internal(cause) = self else { return };
        let mut chain = cause.to_string();
        let mut next = cause.source();
        while let Some(deeper) = next {
            chain.push_str(": ");
            chain.push_str(&deeper.to_string());
            next = deeper.source();
        }
        let request_id = REQUEST_ID.try_with(Clone::clone).unwrap_or_default();
        tracing::error!(request_id, cause = chain, "internal error");
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.log();
        let (_, status, _) = self.class();
        let mut response = (status, self.body().to_string()).into_response();
        let headers = response.headers_mut();
        let problem_json = HeaderValue::from_static("application/problem+json; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, problem_json);
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}
