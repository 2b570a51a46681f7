//! 安全策略: every setting with its default and its floor. A setting below its floor refuses to
//! start, so that no operator leaves level 3 of GB/T 22239 without noticing.

use serde::Deserialize;
pub use yj_http::Network;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// The settings of `[security]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    /// `L3`; `demo` only where nobody but this machine can connect.
    pub profile: String,
    /// Shortest password.
    pub password_min_length: usize,
    /// Classes of characters.
    pub password_classes: usize,
    /// Strength by zxcvbn, 0 to 4.
    pub password_score: u8,
    /// Days until a password must be changed.
    pub password_max_age_days: i64,
    /// Old passwords that may not come back.
    pub password_history: i64,
    /// Wrong attempts before a name is locked.
    pub lockout_threshold: i64,
    /// Minutes in which they are counted.
    pub lockout_window_minutes: i64,
    /// Minutes a name stays locked.
    pub lockout_minutes: i64,
    /// Idle minutes before an administrator's session ends.
    pub idle_minutes_admin: i64,
    /// The same for others.
    pub idle_minutes: i64,
    /// Hours after which every session ends.
    pub absolute_hours: i64,
    /// Sessions of one administrator at once.
    pub sessions_max_admin: i64,
    /// The same for others.
    pub sessions_max: i64,
    /// Minutes during which a factor counts as freshly shown.
    pub step_up_minutes: i64,
    /// Days without log-in after which an account sleeps.
    pub dormant_days: i64,
    /// Who must show a second factor: `admin`, `gov`, `all`.
    pub second_factor_for: Vec<String>,
    /// Networks that administrators may come from.
    pub admin_networks: Vec<String>,
    /// Rows of one export beyond which somebody else must approve it.
    pub export_approval_rows: i64,
    /// Days the audit trail is kept at least; nothing removes entries today.
    pub audit_retention_days: i64,
    /// Rows that one user may take out within an hour before it is an alarm.
    pub export_alarm_rows: i64,
    /// Where the audit trail is sent besides: `tls://host:port`, `tcp://host:port`; empty for
    /// nowhere.
    pub audit_forward: String,
    /// PEM file of the authority that vouches for that place.
    pub audit_forward_authority: String,
    /// Time servers (NTP) that this machine's clock is compared with.
    pub time_servers: Vec<String>,
    /// PEM file of the authorities whose SM2 certificates are taken for log-in; empty for none.
    pub sm2_authorities: String,
}

impl Default for Security {
    fn default() -> Self {
        let networks = ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
        Self {
            profile: String::from("L3"),
            password_min_length: 12,
            password_classes: 3,
            password_score: 3,
            password_max_age_days: 90,
            password_history: 5,
            lockout_threshold: 5,
            lockout_window_minutes: 15,
            lockout_minutes: 30,
            idle_minutes_admin: 15,
            idle_minutes: 30,
            absolute_hours: 12,
            sessions_max_admin: 1,
            sessions_max: 3,
            step_up_minutes: 5,
            dormant_days: 90,
            second_factor_for: vec![String::from("admin"), String::from("gov")],
            admin_networks: networks.map(String::from).into(),
            export_approval_rows: 1000,
            audit_retention_days: 1095,
            export_alarm_rows: 10_000,
            audit_forward: String::new(),
            audit_forward_authority: String::new(),
            time_servers: Vec::new(),
            sm2_authorities: String::new(),
        }
    }
}

/// A setting of one control, with its live value.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Control: `S-01` …
    pub number: &'static str,
    /// What it governs.
    pub feature: &'static str,
    /// Key in the configuration.
    pub key: &'static str,
    /// The live value.
    pub value: String,
    /// The weakest value allowed, as text.
    pub floor: String,
    /// Whether the live value is at least that.
    pub holds: bool,
}

impl Security {
    /// The settings of a demonstration on one machine: nobody carries a second factor for it.
    pub fn demonstration() -> Self {
        Self { profile: String::from("demo"), second_factor_for: Vec::new(), ..Self::default() }
    }

    /// Whether this is the demonstration.
    pub fn is_demonstration(&self) -> bool {
        self.profile == "demo"
    }

    /// Every setting that has a floor.
    pub fn settings(&self) -> Vec<Setting> {
        let at_least = |number, feature, key, value: i64, floor: i64| Setting {
            number,
            feature,
            key,
            value: value.to_string(),
            floor: format!("≥ {floor}"),
            holds: value >= floor,
        };
        let within = |number, feature, key, value: i64, ceiling: i64| Setting {
            number,
            feature,
            key,
            value: value.to_string(),
            floor: format!("1 至 {ceiling}"),
            holds: (1..=ceiling).contains(&value),
        };
        let int = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let required =
            |who: &str| self.second_factor_for.iter().any(|one| one == who || one == "all");
        let second_factor = Setting {
            number: "S-05",
            feature: "必须使用第二因素的人员",
            key: "second_factor_for",
            value: self.second_factor_for.join("、"),
            floor: String::from("admin、gov"),
            holds: required("admin") && required("gov"),
        };
        let length = int(self.password_min_length);
        let (classes, score) = (int(self.password_classes), i64::from(self.password_score));
        vec![
            at_least("S-01", "口令最短长度", "password_min_length", length, 8),
            at_least("S-01", "口令字符类别", "password_classes", classes, 3),
            at_least("S-01", "口令强度分", "password_score", score, 3),
            within(
                "S-02",
                "口令有效天数",
                "password_max_age_days",
                self.password_max_age_days,
                180,
            ),
            at_least("S-02", "不得重复的历史口令数", "password_history", self.password_history, 3),
            within("S-04", "锁定前的失败次数", "lockout_threshold", self.lockout_threshold, 10),
            at_least(
                "S-04",
                "失败计数窗口（分钟）",
                "lockout_window_minutes",
                self.lockout_window_minutes,
                5,
            ),
            at_least("S-04", "锁定时长（分钟）", "lockout_minutes", self.lockout_minutes, 10),
            second_factor,
            within(
                "S-07",
                "管理员空闲退出（分钟）",
                "idle_minutes_admin",
                self.idle_minutes_admin,
                30,
            ),
            within("S-07", "空闲退出（分钟）", "idle_minutes", self.idle_minutes, 30),
            within("S-07", "会话最长时间（小时）", "absolute_hours", self.absolute_hours, 24),
            within("S-08", "管理员同时会话数", "sessions_max_admin", self.sessions_max_admin, 1),
            within("S-08", "同时会话数", "sessions_max", self.sessions_max, 5),
            within(
                "S-10",
                "危险操作验证有效期（分钟）",
                "step_up_minutes",
                self.step_up_minutes,
                15,
            ),
            within("S-14", "休眠账号停用（天）", "dormant_days", self.dormant_days, 180),
            within(
                "S-33",
                "须他人批准的导出行数",
                "export_approval_rows",
                self.export_approval_rows,
                10_000,
            ),
            within(
                "S-28",
                "一小时导出行数告警",
                "export_alarm_rows",
                self.export_alarm_rows,
                100_000,
            ),
            at_least(
                "S-24",
                "审计保存天数",
                "audit_retention_days",
                self.audit_retention_days,
                183,
            ),
        ]
    }

    /// Refuses settings below their floor, and nonsense.
    pub fn check(&self) -> Result<(), String> {
        if !matches!(self.profile.as_str(), "L3" | "demo") {
            return Err(format!("security.profile 应为 L3，现为 {}", self.profile));
        }
        for network in &self.admin_networks {
            Network::parse(network).ok_or_else(|| {
                format!("security.admin_networks 应为 地址/前缀长度，现有 {network}")
            })?;
        }
        let exempt = |one: &Setting| self.is_demonstration() && one.number == "S-05";
        match self.settings().into_iter().find(|one| !one.holds && !exempt(one)) {
            None => Ok(()),
            Some(Setting { number, key, feature, value, floor, .. }) => Err(format!(
                "security.{key}（{feature}）为 {value}，低于三级底线 {floor}（{number}），拒绝启动",
            )),
        }
    }

    /// Idle time after which a session ends.
    pub(crate) fn idle_ms(&self, administrator: bool) -> i64 {
        MINUTE_MS * if administrator { self.idle_minutes_admin } else { self.idle_minutes }
    }

    pub(crate) fn absolute_ms(&self) -> i64 {
        self.absolute_hours * 60 * MINUTE_MS
    }

    pub(crate) fn password_age_ms(&self) -> i64 {
        self.password_max_age_days * DAY_MS
    }

    pub(crate) fn dormant_ms(&self) -> i64 {
        self.dormant_days * DAY_MS
    }

    pub(crate) fn window_ms(&self) -> i64 {
        self.lockout_window_minutes * MINUTE_MS
    }

    pub(crate) fn lock_ms(&self) -> i64 {
        self.lockout_minutes * MINUTE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g_10_1_a_setting_below_its_floor_is_refused_and_named() {
        assert_eq!(Security::default().check(), Ok(()));
        assert_eq!(Security::demonstration().check(), Ok(()));
        let short = Security { audit_retention_days: 90, ..Security::default() };
        assert!(short.check().unwrap_err().contains("audit_retention_days"));
        let lax = Security { lockout_threshold: 100, ..Security::demonstration() };
        assert!(lax.check().unwrap_err().contains("lockout_threshold"));
        let without =
            Security { second_factor_for: vec![String::from("gov")], ..Security::default() };
        assert!(without.check().unwrap_err().contains("second_factor_for"));
    }
}
