//! Where administrators and authorities log in from: a network they have never used is an alarm
//! (S-28). Only the network is kept, not the address.

use std::net::IpAddr;

use yj_kernel::{Ctx, Result, Sql, Tx};

use crate::rights::Known;

/// The network of an address: /24, or /48 of IPv6.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

/// Notes where somebody logs in from; the network if this account has used others, but never this
/// one. Ordinary users move about and are not watched.
pub(crate) async fn note(
    ctx: &Ctx,
    tx: &mut Tx,
    (known, address): (&Known, Option<IpAddr>),
) -> Result<Option<String>> {
    let watched = known.principal.administrator.is_some() || known.organization_kind == "authority";
    let (Some(address), true) = (address, watched) else { return Ok(None) };
    let (network, account) = (network(address), known.principal.account.as_str());
    let sql = Sql::new("SELECT network FROM known_place WHERE account_id = $1");
    let places = tx.fetch(sql.arg(account)).await?;
    for place in &places {
        if place.text(0)? == network {
            return Ok(None);
        }
    }
    let sql = Sql::new(
        "INSERT INTO known_place (account_id, network, first_at) VALUES ($1, $2, $3) \
         ON CONFLICT DO NOTHING",
    );
    tx.later([sql.arg(account).arg(network.as_str()).arg(ctx.now_ms())]);
    Ok((!places.is_empty()).then_some(network))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_one_place() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("10.1.2.3"), "10.1.2.0/24");
        assert_eq!(of("::ffff:10.1.2.200"), "10.1.2.0/24");
        assert_eq!(of("2001:db8:1:2::3"), "2001:db8:1::/48");
    }
}
