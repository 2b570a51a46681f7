//! 设备 (G-6.7.5): what captures trace data, by type, model, MAC address and the enterprise it
//! belongs to.
//!
//! An address is one device's on the whole platform, but whose is nobody's to find out: a proposal
//! is taken whether or not the address is registered, and who reviews it learns that it is.

use serde::{Deserialize, Serialize};
use yj_kernel::{
    Changed, Codes, Columns, Ctx, DATUM, DATUM_GIVEN, Field, Kind, LATITUDE, LONGITUDE, Match,
    Position, Problem, Resource, Result, Scoping, Sql, Tx,
};
use yj_model::{Id, MacAddress, RegionCode};

use crate::{
    DEVICE, numbers, place,
    state::{Presence, due},
};

/// 设备类型
pub(crate) const DEVICE_KINDS: Codes = &[
    ("scale", "电子秤"),
    ("scanner", "扫码设备"),
    ("rfid", "射频识别设备"),
    ("sensor", "温湿度与环境传感器"),
    ("locator", "定位设备"),
    ("camera", "视频设备"),
    ("gateway", "采集网关"),
    ("printer", "赋码打印设备"),
    ("kiosk", "查询终端"),
    ("other", "其他"),
];

/// How often a device reports where its registration says nothing, in minutes.
pub(crate) const INTERVAL_DEFAULT: i64 = 10;
/// Once a day at least.
const INTERVAL_MAX: i64 = 1_440;

/// 设备
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// MAC 地址
    pub mac: String,
    /// 设备类型
    pub kind: String,
    /// 设备型号
    pub model: String,
    /// 生产厂家
    pub maker: Option<String>,
    /// 出厂编号
    pub serial_no: Option<String>,
    /// IMEI
    pub imei: Option<String>,
    /// ICCID
    pub iccid: Option<String>,
    /// 固件版本
    pub firmware: Option<String>,
    /// 所属企业
    pub subject_id: Id<()>,
    /// 所属区域
    pub region: RegionCode,
    /// 安装位置
    pub place: Option<String>,
    /// 经度
    pub lon: Option<String>,
    /// 纬度
    pub lat: Option<String>,
    /// 坐标系 of the coordinates; CGCS2000 once they are stored.
    pub datum: Option<String>,
    /// 坐标系 the coordinates were given in.
    pub datum_given: Option<String>,
    /// 安装日期
    pub installed_on: Option<String>,
    /// 检定有效期至
    pub verified_until: Option<String>,
    /// 上报间隔, in minutes.
    pub interval_minutes: Option<i64>,
    /// 是否启用
    pub in_use: bool,
    /// Whether the address was set by software and not by the maker.
    pub locally_administered: Option<bool>,
    /// 在线状态
    pub state: Option<String>,
}

fn mac(text: &str) -> Result<String, String> {
    text.parse::<MacAddress>().map(|mac| mac.to_string()).map_err(|error| error.to_string())
}

/// The state of a device that the request may see anyway. Nothing is learnt about others' devices.
async fn known_state(ctx: &Ctx, tx: &mut Tx, mac: &str) -> Result<Presence> {
    let mut sql = Sql::new("SELECT state FROM device WHERE mac = ");
    sql.bind(mac);
    ctx.scope().narrow(&mut sql, tx, DEVICE.scoping);
    let row = tx.fetch_one(sql).await?;
    row.map_or(Ok(Presence::Never), |row| Presence::at(&row, 0))
}

impl Resource for Device {
    const TABLE: &'static str = "device";
    const TITLE: &'static str = "设备";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("subject_id"),
        label: Some("label"),
        ..Columns::NONE
    });
    const REVIEWED: bool = true;
    const FIELDS: &'static [Field] = &[
        Field::new("mac", "MAC 地址", Kind::Text)
            .checked(mac)
            .format("an17")
            .filter(Match::Exact)
            .sortable()
            .hint("如 A4:BB:6D:00:11:22，分隔符与大小写不限；全平台唯一，审核时核对"),
        Field::new("kind", "设备类型", Kind::Code(DEVICE_KINDS)).filter(Match::Exact).sortable(),
        Field::new("model", "设备型号", Kind::Text)
            .length_max(60)
            .filter(Match::Contains)
            .sortable(),
        Field::new("maker", "生产厂家", Kind::Text)
            .length_max(120)
            .filter(Match::Contains)
            .optional(),
        Field::new("serial_no", "出厂编号", Kind::Text)
            .length_max(60)
            .filter(Match::Exact)
            .optional(),
        Field::new("imei", "IMEI", Kind::Text)
            .checked(numbers::imei)
            .format("n15")
            .filter(Match::Exact)
            .optional()
            .hint("移动设备填写，15 位，末位为校验位"),
        Field::new("iccid", "ICCID", Kind::Text)
            .checked(numbers::iccid)
            .format("n..20")
            .filter(Match::Exact)
            .optional()
            .hint("物联网卡填写，19 或 20 位，末位为校验位"),
        Field::new("firmware", "固件版本", Kind::Text).length_max(60).optional(),
        Field::new("subject_id", "所属企业", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .passes_on(),
        Field::new("region", "所属区域", Kind::Region)
            .filter(Match::Prefix)
            .sortable()
            .hint("应在所属企业或其名下节点的所属区域之内；设在别处的由当地监管人员登记"),
        Field::new("place", "安装位置", Kind::Text).length_max(120).optional(),
        LONGITUDE,
        LATITUDE,
        DATUM,
        DATUM_GIVEN,
        Field::new("installed_on", "安装日期", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .optional(),
        Field::new("verified_until", "检定有效期至", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .optional()
            .hint("须检定的计量器具填写"),
        Field::new("interval_minutes", "上报间隔（分钟）", Kind::Int)
            .optional()
            .hint("单位为分钟，1 至 1440，留空为 10；超过两个间隔没有心跳或数据即为离线"),
        Field::new("in_use", "是否启用", Kind::Bool).filter(Match::Exact),
        Field::new("locally_administered", "本地管理地址", Kind::Bool)
            .filter(Match::Exact)
            .computed()
            .hint("MAC 地址由软件设定而非厂家分配"),
        Field::new("state", "在线状态", Kind::Code(Presence::CODES))
            .filter(Match::Exact)
            .sortable()
            .computed(),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let Self { lon, lat, datum, datum_given, region, .. } = self;
        Position { lon, lat, datum, datum_given }.settle(region)?;
        let interval = self.interval_minutes.unwrap_or(INTERVAL_DEFAULT);
        if !(1..=INTERVAL_MAX).contains(&interval) {
            let detail = format!("上报间隔：应为 1 至 {INTERVAL_MAX} 分钟");
            return Err(Problem::invalid("interval_minutes", detail));
        }
        self.interval_minutes = Some(interval);
        let mac: MacAddress = self.mac.parse().map_err(Problem::internal)?;
        self.locally_administered = Some(mac.locally_administered());
        self.state = Some(String::from(known_state(ctx, tx, &self.mac).await?.code()));
        place::require_sound_region(ctx, tx, (self.subject_id, &self.region)).await
    }

    /// Another interval is another moment from which it is offline; another address is another
    /// device, of which nothing has been heard yet.
    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        let (Some(before), Some(after)) = (change.before, change.after) else { return Ok(()) };
        if before.mac != after.mac {
            let sql = Sql::new(
                "SELECT 1 FROM device_certificate \
                 WHERE device_id = $1 AND revoked_at IS NULL AND valid_until > $2",
            );
            if tx.fetch_one(sql.arg(change.id).arg(ctx.now_ms())).await?.is_some() {
                let detail = "设备的证书仍有效；请先吊销证书，再变更 MAC 地址";
                return Err(Problem::Conflict(String::from(detail)));
            }
            tx.later([Sql::new("DELETE FROM device_status WHERE device_id = $1").arg(change.id)]);
        }
        let interval = after.interval_minutes.unwrap_or(INTERVAL_DEFAULT);
        let again = Sql::new(
            "UPDATE device_status SET due = last_seen + $1 \
             WHERE device_id = $2 AND due IS NOT NULL",
        );
        // What was heard while the change was on its way counts.
        let state = Sql::new(
            "UPDATE device SET state = COALESCE((SELECT CASE WHEN s.due IS NULL THEN 'offline' \
             ELSE 'online' END FROM device_status s WHERE s.device_id = device.id), 'never') \
             WHERE id = $1",
        );
        tx.later([again.arg(due(0, interval)).arg(change.id), state.arg(change.id)]);
        Ok(())
    }

    fn sample(n: u32) -> Self {
        let optional = |text: &str| Some(String::from(text));
        Self {
            mac: format!("A4:BB:6D:{:02X}:{:02X}:{:02X}", n >> 16 & 255, n >> 8 & 255, n & 255),
            kind: String::from("scale"),
            model: String::from("示例-1"),
            maker: optional("示例衡器厂"),
            serial_no: Some(format!("SN-{n}")),
            imei: optional("490154203237518"),
            iccid: optional("89860318740200301124"),
            firmware: optional("1.0.3"),
            subject_id: Id::from_parts(1, u128::from(n)),
            region: "610116".parse().expect("six digits"),
            place: optional("示例车间"),
            lon: optional("108.948024"),
            lat: optional("34.263161"),
            datum: None,
            datum_given: None,
            installed_on: optional("2026-01-01"),
            verified_until: optional("2027-01-01"),
            interval_minutes: Some(INTERVAL_DEFAULT),
            in_use: true,
            locally_administered: Some(false),
            state: optional(Presence::Never.code()),
        }
    }
}
