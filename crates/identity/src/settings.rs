//! 安全策略: every setting with its default and its floor. A setting below its floor refuses to
//! start, so that no operator leaves level 3 of GB/T 22239 without noticing.

use serde::Deserialize;

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
    /// Days the audit trail is kept.
    pub audit_retention_days: i64,
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
            sm2_authorities: String::new(),
        }
    }
}

/// One control of level 3, as the 等保自查 page shows it.
#[derive(Debug, Clone)]
pub struct Control {
    /// `S-01` …
    pub number: &'static str,
    /// Clause of GB/T 22239 or GB/T 39786.
    pub clause: &'static str,
    /// What it does.
    pub feature: &'static str,
    /// Key in the configuration; empty where nothing can be set.
    pub setting: &'static str,
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

    /// The black-box test that shows a control at work, as its evidence.
    pub const fn evidence(number: &str) -> &'static str {
        match number.as_bytes() {
            b"S-01" | b"S-03" => {
                "s_03_there_is_no_account_until_the_wizard_makes_three_administrators"
            }
            b"S-02" => "s_02_passwords_expire_and_do_not_come_back",
            b"S-04" => "s_04_a_name_is_locked_after_five_wrong_passwords_whether_it_exists_or_not",
            b"S-05" => "s_05_administrators_can_do_nothing_without_a_second_factor",
            b"S-07" => "s_07_sessions_end_when_idle_and_in_any_case_after_twelve_hours",
            b"S-08" => "s_08_administrators_have_one_session_and_any_session_can_be_ended",
            b"S-10" => "s_10_dangerous_acts_want_a_factor_shown_anew",
            b"S-12" => {
                "s_12_the_three_administrators_exclude_each_other_and_hold_no_business_right"
            }
            b"S-14" => "s_14_sleeping_and_expired_accounts_stay_outside",
            b"S-15" => "s_15_labels_hide_records_and_clearance_opens_them",
            b"S-16" => "s_16_a_right_written_behind_the_platforms_back_is_worth_nothing",
            b"S-18" => {
                "s_18_ten_thousand_random_users_and_queries_never_see_a_row_outside_their_scope"
            }
            b"S-19" => "s_19_another_organisations_record_looks_like_none_at_all",
            b"S-20" => "s_20_nobody_hands_on_more_than_they_were_handed",
            b"S-23" | b"S-24" => "s_23_edited_deleted_and_truncated_entries_are_found_and_named",
            b"S-29" => {
                "s_29_a_dump_of_the_database_shows_no_phone_no_identity_number_and_no_password"
            }
            b"S-30" => "s_30_keys_rotate_while_requests_go_on_and_the_old_one_is_gone",
            b"S-35" => "s_35_erased_data_are_gone_everywhere_and_the_log_still_verifies",
            b"S-38" => "s_38_signed_requests_hold_once_for_five_minutes_and_to_the_byte",
            b"S-49" => "s_49_clients_have_networks_quotas_expiry_rotation_and_an_end",
            _ => "",
        }
    }

    /// Every control that a setting governs, and those that nothing can switch off.
    pub fn controls(&self) -> Vec<Control> {
        let at_least = |number, clause, feature, setting, value: i64, floor: i64| Control {
            number,
            clause,
            feature,
            setting,
            value: value.to_string(),
            floor: format!("≥ {floor}"),
            holds: value >= floor,
        };
        let within = |number, clause, feature, setting, value: i64, ceiling: i64| Control {
            number,
            clause,
            feature,
            setting,
            value: value.to_string(),
            floor: format!("1 至 {ceiling}"),
            holds: (1..=ceiling).contains(&value),
        };
        let fixed = |number, clause, feature| Control {
            number,
            clause,
            feature,
            setting: "",
            value: String::from("启用"),
            floor: String::from("启用"),
            holds: true,
        };
        let int = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let required =
            |who: &str| self.second_factor_for.iter().any(|one| one == who || one == "all");
        vec![
            at_least(
                "S-01",
                "8.1.4.1 a",
                "口令最短长度",
                "password_min_length",
                int(self.password_min_length),
                8,
            ),
            at_least(
                "S-01",
                "8.1.4.1 a",
                "口令字符类别",
                "password_classes",
                int(self.password_classes),
                3,
            ),
            at_least(
                "S-01",
                "8.1.4.1 a",
                "口令强度分",
                "password_score",
                i64::from(self.password_score),
                3,
            ),
            within(
                "S-02",
                "8.1.4.1 a",
                "口令有效天数",
                "password_max_age_days",
                self.password_max_age_days,
                180,
            ),
            at_least(
                "S-02",
                "8.1.4.1 a",
                "不得重复的历史口令数",
                "password_history",
                self.password_history,
                3,
            ),
            within(
                "S-04",
                "8.1.4.1 b",
                "锁定前的失败次数",
                "lockout_threshold",
                self.lockout_threshold,
                10,
            ),
            at_least(
                "S-04",
                "8.1.4.1 b",
                "失败计数窗口（分钟）",
                "lockout_window_minutes",
                self.lockout_window_minutes,
                5,
            ),
            at_least(
                "S-04",
                "8.1.4.1 b",
                "锁定时长（分钟）",
                "lockout_minutes",
                self.lockout_minutes,
                10,
            ),
            Control {
                number: "S-05",
                clause: "8.1.4.1 d",
                feature: "必须使用第二因素的人员",
                setting: "second_factor_for",
                value: self.second_factor_for.join("、"),
                floor: String::from("admin、gov"),
                holds: required("admin") && required("gov"),
            },
            within(
                "S-07",
                "8.1.4.1 b",
                "管理员空闲退出（分钟）",
                "idle_minutes_admin",
                self.idle_minutes_admin,
                30,
            ),
            within("S-07", "8.1.4.1 b", "空闲退出（分钟）", "idle_minutes", self.idle_minutes, 30),
            within(
                "S-07",
                "8.1.4.1 b",
                "会话最长时间（小时）",
                "absolute_hours",
                self.absolute_hours,
                24,
            ),
            within(
                "S-08",
                "8.1.4.2 c",
                "管理员同时会话数",
                "sessions_max_admin",
                self.sessions_max_admin,
                1,
            ),
            within("S-08", "8.1.4.2 c", "同时会话数", "sessions_max", self.sessions_max, 5),
            within(
                "S-10",
                "8.1.4.2 d",
                "危险操作验证有效期（分钟）",
                "step_up_minutes",
                self.step_up_minutes,
                15,
            ),
            within(
                "S-14",
                "8.1.4.2 c",
                "休眠账号停用（天）",
                "dormant_days",
                self.dormant_days,
                180,
            ),
            within(
                "S-33",
                "8.1.4.11 b",
                "须他人批准的导出行数",
                "export_approval_rows",
                self.export_approval_rows,
                10_000,
            ),
            at_least(
                "S-24",
                "8.1.4.3 c；网络安全法第二十一条",
                "审计保存天数",
                "audit_retention_days",
                self.audit_retention_days,
                183,
            ),
            fixed("S-03", "8.1.4.2 b", "无默认账号与默认口令，首次登录凭一次性链接"),
            fixed("S-12", "8.1.4.2 d；8.1.5.1", "三类管理员互斥，由数据库约束保证"),
            fixed("S-15", "8.1.4.2 g", "密级标记与许可"),
            fixed("S-16", "GB/T 39786 8.4 b、c", "权限记录 HMAC-SM3 完整性校验"),
            fixed("S-18", "8.1.4.2 e、f", "数据权限作用于列表、读取、计数与导出"),
            fixed("S-19", "8.1.4.2 f", "范围外的记录与不存在无异"),
            fixed("S-20", "8.1.4.2 d", "转授不超出受托范围"),
            fixed("S-23", "8.1.4.3 c；GB/T 39786 8.4 g", "审计记录 SM3 成链并上链存证"),
            fixed("S-29", "8.1.4.8 b；GB/T 39786 8.4 e", "个人信息 SM4-GCM 加密存储、盲索引检索"),
            fixed("S-30", "GB/T 39786 8.4 e", "密钥分级与轮换"),
            fixed("S-35", "8.1.4.10；个人信息保护法第四十七条", "销毁密钥删除个人信息"),
            fixed("S-38", "8.1.4.7 a；GB/T 39786 8.4 f", "接口请求 SM2、HMAC-SM3 签名，防重放"),
            fixed("S-49", "8.1.4.1", "接口客户端网络、配额、有效期、轮换与吊销"),
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
        let exempt = |control: &Control| self.is_demonstration() && control.number == "S-05";
        match self.controls().into_iter().find(|control| !control.holds && !exempt(control)) {
            None => Ok(()),
            Some(control) => Err(format!(
                "security.{}（{}）为 {}，低于三级底线 {}（GB/T 22239 {}），拒绝启动",
                control.setting, control.feature, control.value, control.floor, control.clause
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

/// A network, `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: std::net::IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads `address/prefix`, or an address alone.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address.parse().ok()?, prefix.parse().ok()?),
            None => (text.parse().ok()?, u32::MAX),
        };
        let most = if matches!(address, std::net::IpAddr::V4(_)) { 32 } else { 128 };
        let prefix = if prefix == u32::MAX { most } else { prefix };
        (prefix <= most).then_some(Self { address, prefix })
    }

    /// Whether an address lies in it.
    pub fn contains(&self, address: std::net::IpAddr) -> bool {
        use std::net::IpAddr::{V4, V6};
        let same = |left: u128, right: u128, width: u32| {
            self.prefix == 0 || (left ^ right) >> (width - self.prefix) == 0
        };
        match (self.address, address.to_canonical()) {
            (V4(own), V4(other)) => {
                same(u128::from(own.to_bits()), u128::from(other.to_bits()), 32)
            }
            (V6(own), V6(other)) => same(own.to_bits(), other.to_bits(), 128),
            _ => false,
        }
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

    #[test]
    fn networks_contain_their_addresses() {
        let inside = |network: &str, address: &str| {
            Network::parse(network).unwrap().contains(address.parse().unwrap())
        };
        assert!(inside("10.0.0.0/8", "10.200.3.4"));
        assert!(!inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("::1/128", "::1"));
        assert!(inside("127.0.0.0/8", "::ffff:127.0.0.1"));
        assert!(inside("0.0.0.0/0", "1.2.3.4"));
        assert!(!inside("192.168.1.7", "192.168.1.8"));
        assert!(Network::parse("10.0.0.0/33").is_none());
    }
}
