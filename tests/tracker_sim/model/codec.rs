//! The few encodings that Tracker's answers need, written out here so that the model depends on nothing but
//! serde_json and behaves the same on a virtual clock. Not a general library: only what the simulator uses.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Year, month and day of a number of days since 1970 (Hinnant's civil calendar).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

fn days_from(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// ISO 8601 to the second; `zone` is what follows the time, "Z" or nothing.
pub fn iso(ms: i64, zone: &str) -> String {
    let seconds = ms.div_euclid(1000);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let s = seconds.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{zone}", s / 3600, s / 60 % 60, s % 60)
}

/// The form of the HTTP `Date` header.
pub fn http_date(ms: i64) -> String {
    let seconds = ms.div_euclid(1000);
    let days = seconds.div_euclid(86_400);
    let (year, month, day) = civil(days);
    let s = seconds.rem_euclid(86_400);
    let (name, month) = (DAYS[days.rem_euclid(7) as usize], MONTHS[(month - 1) as usize]);
    format!("{name}, {day:02} {month} {year:04} {:02}:{:02}:{:02} GMT", s / 3600, s / 60 % 60, s % 60)
}

/// Reads `YYYY-MM-DD`, optionally with `T` or a space, a time, a fraction, and `Z` or an offset. No offset is UTC.
pub fn parse_date(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if text.get(4..5)? != "-" || text.get(7..8)? != "-" || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut seconds = days_from(year, month, day) * 86_400;
    let Some(rest) = text.get(10..).filter(|r| !r.is_empty()) else { return Some(seconds * 1000) };
    if !rest.starts_with(['T', ' ', 't']) {
        return None;
    }
    seconds += number(11, 13)? * 3600 + number(14, 16)? * 60;
    let mut zone = text.get(16..).unwrap_or("");
    if zone.starts_with(':') {
        seconds += number(17, 19)?;
        zone = text.get(19..).unwrap_or("");
    }
    let zone = zone.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        return Some(seconds * 1000);
    }
    let sign = if zone.starts_with('-') { 1 } else { -1 };
    let offset = zone.get(1..3)?.parse::<i64>().ok()? * 3600 + zone.get(zone.len() - 2..)?.parse::<i64>().ok()? * 60;
    Some((seconds + sign * offset) * 1000)
}

/// Strict base64 with padding, as a .NET service would read it; white space is allowed.
pub fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held, mut pads, mut seen) = (0u32, 0u32, 0usize, 0usize);
    for byte in text.bytes().filter(|b| !b.is_ascii_whitespace()) {
        seen += 1;
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' if pads < 2 => {
                pads += 1;
                continue;
            }
            _ => return None,
        };
        if pads > 0 {
            return None;
        }
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    (seen % 4 == 0).then_some(out)
}

/// base64url without padding: the parts of a JWT.
pub fn base64_url(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            out.push(match ALPHABET[(word >> (18 - 6 * i) & 63) as usize] {
                b'+' => '-',
                b'/' => '_',
                other => other as char,
            });
        }
    }
    out
}

/// Form fields or a query string, in order, decoded.
pub fn form(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| {
        let mut out = Vec::new();
        let mut bytes = part.bytes();
        while let Some(b) = bytes.next() {
            out.push(match b {
                b'+' => b' ',
                b'%' => {
                    let pair = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                    u8::from_str_radix(&String::from_utf8_lossy(&pair), 16).unwrap_or(b'?')
                }
                other => other,
            });
        }
        String::from_utf8_lossy(&out).into_owned()
    };
    let pairs = text.split('&').filter(|p| !p.is_empty());
    pairs.map(|p| p.split_once('=').unwrap_or((p, ""))).map(|(k, v)| (decode(k), decode(v))).collect()
}

/// 32 hex digits from a counter (splitmix64): different every time, the same in every run.
pub fn token(counter: u64) -> String {
    let mix = |n: u64| {
        let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    format!("{:016x}{:016x}", mix(counter * 2 + 1), mix(counter * 2 + 2))
}

/// SHA-256 in hex, so that a test can say that a file arrived whole. The constants are the fractional parts of the
/// roots of the first primes, computed instead of copied.
pub fn sha256_hex(data: &[u8]) -> String {
    let primes: Vec<u64> = (2u64..312).filter(|n| (2..*n).all(|d| n % d != 0)).collect();
    let k: Vec<u32> = primes.iter().map(|p| root_fraction(*p, 3)).collect();
    let mut h: [u32; 8] = std::array::from_fn(|i| root_fraction(primes[i], 2));
    let mut message = data.to_vec();
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    message.extend_from_slice(&((data.len() as u64) * 8).to_be_bytes());
    let mut w = [0u32; 64];
    for block in message.chunks(64) {
        for (i, word) in block.chunks(4).enumerate() {
            w[i] = word.iter().fold(0, |n, b| n << 8 | u32::from(*b));
        }
        for i in 16..64 {
            let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
            let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
            w[i] = w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut last] = h;
        for (k, w) in k.iter().zip(w) {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let t1 = last.wrapping_add(s1).wrapping_add((e & f) ^ (!e & g)).wrapping_add(*k).wrapping_add(w);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let t2 = s0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (last, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
        }
        let v = [a, b, c, d, e, f, g, last];
        h.iter_mut().zip(v).for_each(|(a, b)| *a = a.wrapping_add(b));
    }
    h.iter().map(|n| format!("{n:08x}")).collect()
}

/// The first 32 bits after the point of a prime's square or cube root, by integer bisection.
fn root_fraction(prime: u64, degree: u32) -> u32 {
    // The largest x with x^degree <= prime * 2^(32 * degree): x is the root in 32.32 fixed point, 35 bits at most.
    // Cubes need 105 bits, which u128 holds.
    let target = u128::from(prime) << (32 * degree);
    let (mut low, mut high) = (0u128, 1u128 << 37);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if middle.pow(degree) <= target { low = middle } else { high = middle }
    }
    low as u32
}
