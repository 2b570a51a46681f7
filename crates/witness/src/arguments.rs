//! What a witness is told.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// 见证一个平台的存证日志
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// 所见证平台的地址，如 https://trace.example.cn
    #[arg(long, value_name = "网址")]
    pub of: String,
    /// 见证方自己的状态目录；一个目录只见证一条链
    #[arg(long, value_name = "目录")]
    pub state: PathBuf,
    /// 见证方名称，首次运行时定下：1 至 100 个字符，不含空白与 +
    #[arg(long, value_name = "名称")]
    pub name: Option<String>,
    /// SM2 私钥文件（PKCS#8 PEM）；缺省为状态目录中的 key.pem，没有时生成
    #[arg(long, value_name = "文件")]
    pub key: Option<PathBuf>,
    /// 两次见证的间隔，如 60s、5m、1h
    #[arg(long, value_name = "时长", default_value = "60s", value_parser = span)]
    pub every: Duration,
    /// 只见证一次：0 已见证，3 拒签，1 其他
    #[arg(long)]
    pub once: bool,
    /// 其他见证方的地址，与其核对所见是否同一份日志；可重复
    #[arg(long, value_name = "网址")]
    pub peer: Vec<String>,
    /// 公布自己的见证与证据的地址，如 0.0.0.0:8090
    #[arg(long, value_name = "地址:端口")]
    pub listen: Option<SocketAddr>,
    /// 从公开渠道得到的链指纹（64 位十六进制）；缺省为首次所见
    #[arg(long, value_name = "指纹")]
    pub fingerprint: Option<String>,
}

/// Waits of more than a day would be no witnessing.
const SPAN_MAX: u64 = 24 * 3600;

fn span(text: &str) -> Result<Duration, String> {
    let wrong = || String::from("应为 1s 至 24h 的时长，如 60s、5m、1h");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let seconds = number.checked_mul(factor).filter(|seconds| (1..=SPAN_MAX).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit_and_a_bound() {
        assert_eq!(span("60s"), Ok(Duration::from_mins(1)));
        assert_eq!(span("24h"), Ok(Duration::from_hours(24)));
        for wrong in ["", "60", "0s", "25h", "s", "-1s", "1秒", "1d"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
