//! Where this server may call: never into the network it stands in, unless its operator says so.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

use ureq::http::Uri;

/// Addresses of webhooks that an operator has allowed.
#[derive(Debug, Clone, Default)]
pub struct Callbacks {
    /// Hosts, or hosts with a port, that may be called whatever their address, and without TLS.
    pub allowed_hosts: Vec<String>,
}

impl Callbacks {
    fn allows(&self, uri: &Uri) -> bool {
        let authority = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase());
        authority.is_some_and(|found| {
            let host = uri.host().unwrap_or_default().to_ascii_lowercase();
            let named = |allowed: &String| {
                let allowed = allowed.to_ascii_lowercase();
                allowed == found || allowed == host
            };
            self.allowed_hosts.iter().any(named)
        })
    }

    /// An address that may be called as far as its text says, or what would be right.
    pub(crate) fn check(&self, dest: &str) -> Result<Uri, &'static str> {
        let wrong = "应为 https:// 开头的地址，不含用户名与片段";
        let uri: Uri = dest.parse().map_err(|_| wrong)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(wrong)?;
        if dest.contains('@') || dest.contains('#') || dest.len() > 2_000 {
            return Err(wrong);
        }
        if self.allows(&uri) {
            return match uri.scheme_str() {
                Some("http" | "https") => Ok(uri),
                _ => Err(wrong),
            };
        }
        if uri.scheme_str() != Some("https") {
            return Err(wrong);
        }
        let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let inside =
            host.eq_ignore_ascii_case("localhost") || literal.is_some_and(|ip| !is_public(ip));
        if inside { Err("不应指向本机或内部网络的地址") } else { Ok(uri) }
    }

    /// The addresses of a destination that may be called; none where it leads inside.
    pub(crate) fn resolve(&self, uri: &Uri) -> std::io::Result<Vec<SocketAddr>> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let port =
            uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let found: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
        let allowed = self.allows(uri);
        // One inner address among outer ones is a trick.
        if !allowed && found.iter().any(|address| !is_public(address.ip())) {
            return Err(std::io::Error::other("地址解析到内部网络，不予投递"));
        }
        Ok(found)
    }
}

/// Whether an address belongs to nobody's inner network.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.is_unspecified()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b)))
        }
        IpAddr::V6(ip) => {
            if let Some(inner) = ip.to_ipv4_mapped().or_else(|| translated(ip)) {
                return is_public(IpAddr::V4(inner));
            }
            let first = ip.segments()[0];
            // Global unicast is 2000::/3; documentation lies inside it.
            (0x2000..0x4000).contains(&first) && !(first == 0x2001 && ip.segments()[1] == 0x0db8)
        }
    }
}

/// The IPv4 address inside one of NAT64 or 6to4.
fn translated(ip: std::net::Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    let parts = ip.segments();
    let from = |at: usize| {
        let (high, low) = (u32::from(parts[at]), u32::from(parts[at + 1]));
        std::net::Ipv4Addr::from((high << 16) | low)
    };
    match (parts[0], parts[1]) {
        (0x0064, 0xff9b) if parts[2..6] == [0; 4] => Some(from(6)),
        (0x2002, _) => Some(from(1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_networks_are_not_called() {
        let none = Callbacks::default();
        for wrong in [
            "http://example.com/x",
            "https://localhost/x",
            "https://127.0.0.1/",
            "https://10.1.2.3/",
            "https://192.168.0.1/",
            "https://169.254.169.254/latest",
            "https://100.64.0.1/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://user@example.com/",
            "ftp://example.com/",
            "example.com",
            "",
        ] {
            assert!(none.check(wrong).is_err(), "{wrong}");
        }
        assert!(none.check("https://client.example.com/queryCallback").is_ok());
        assert!(none.check("https://8.8.8.8:8443/x").is_ok());
        let some = Callbacks { allowed_hosts: vec![String::from("127.0.0.1:8099")] };
        assert!(some.check("http://127.0.0.1:8099/x").is_ok());
        assert!(some.check("http://127.0.0.1:8098/x").is_err());
        assert_eq!(some.resolve(&"http://127.0.0.1:8099/x".parse().unwrap()).unwrap().len(), 1);
        assert!(none.resolve(&"https://127.0.0.1/x".parse().unwrap()).is_err());
    }
}
