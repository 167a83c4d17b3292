//! `/var/log/messages` and `auth.log`: `Mar  1 00:00:00 host program[pid]: message`.

use std::io::Write;

use super::{
    calendar::Moment,
    pattern::{Families, Family},
    values::Values,
};
use crate::rng::Rng;

/// Writes syslog lines.
pub(crate) struct Syslog {
    families: Families,
}

impl Syslog {
    pub(crate) fn new() -> Self {
        Self {
            families: Families::new(FAMILIES),
        }
    }

    /// Appends one line.
    pub(crate) fn append(&self, out: &mut Vec<u8>, now: u64, values: &Values, rng: &mut Rng) {
        let at = Moment::from_seconds(now);
        let (month, day) = (at.month_name(), at.day);
        let (hour, minute, second) = (at.hour, at.minute, at.second);
        let host = values.host(rng);
        let draw = self.families.draw(rng);
        let origin = draw.family.origin;
        write!(
            out,
            "{month} {day:>2} {hour:02}:{minute:02}:{second:02} {host} {origin}"
        )
        .expect("a Vec takes every byte");
        if origin != "kernel" {
            write!(out, "[{}]", rng.range(300, 32_768)).expect("a Vec takes every byte");
        }
        out.extend_from_slice(b": ");
        draw.fill(out, values, rng);
        out.push(b'\n');
    }
}

const fn family(origin: &'static str, text: &'static str) -> Family {
    Family {
        origin,
        level: "",
        text,
    }
}

/// In falling order of frequency.
const FAMILIES: &[Family] = &[
    family(
        "sshd",
        "Failed password for {user} from {client} port {port} ssh2",
    ),
    family(
        "sshd",
        "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={client}  user={user}",
    ),
    family("sshd", "Invalid user {user} from {client}"),
    family(
        "sshd",
        "Received disconnect from {client}: 11: Bye Bye [preauth]",
    ),
    family(
        "CRON",
        "pam_unix(cron:session): session opened for user {user} by (uid=0)",
    ),
    family(
        "CRON",
        "pam_unix(cron:session): session closed for user {user}",
    ),
    family("systemd", "Started Session {pid} of user {user}."),
    family(
        "kernel",
        "[{duration}] TCP: request_sock_TCP: Possible SYN flooding on port {port}. Sending cookies.",
    ),
    family("sshd", "Connection closed by {client} [preauth]"),
    family(
        "sshd",
        "Accepted publickey for {user} from {client} port {port} ssh2: RSA {hex}",
    ),
    family("postfix/smtpd", "connect from unknown[{client}]"),
    family(
        "postfix/smtpd",
        "disconnect from unknown[{client}] ehlo=1 auth=0/1 quit=1 commands=2/3",
    ),
    family(
        "sshd",
        "Disconnecting: Too many authentication failures for {user} [preauth]",
    ),
    family("systemd-logind", "New session {pid} of user {user}."),
    family("systemd-logind", "Removed session {pid}."),
    family(
        "sshd",
        "reverse mapping checking getaddrinfo for {host}.example.net [{client}] failed - POSSIBLE BREAK-IN ATTEMPT!",
    ),
    family(
        "kernel",
        "[{duration}] EXT4-fs ({device}1): mounted filesystem with ordered data mode. Opts: (null)",
    ),
    family(
        "dhclient",
        "DHCPREQUEST of {client} on eth0 to {client} port 67",
    ),
    family("dhclient", "bound to {client} -- renewal in {pid} seconds."),
    family(
        "sshd",
        "input_userauth_request: invalid user {user} [preauth]",
    ),
    family(
        "sudo",
        "  {user} : TTY=pts/{small} ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/systemctl restart nginx",
    ),
    family("ntpd", "synchronized to {client}, stratum {small}"),
    family(
        "kernel",
        "[{duration}] Out of memory: Kill process {pid} (java) score {small} or sacrifice child",
    ),
    family(
        "named",
        "client {client}#{port}: query (cache) 'example.org/ANY/IN' denied",
    ),
    family("ftpd", "connection from {client} () at {host}"),
    family(
        "kernel",
        "[{duration}] audit: type=1400 audit({pid}.{small}:77): apparmor=\"DENIED\" operation=\"open\" pid={pid} comm=\"nginx\"",
    ),
    family(
        "postfix/qmgr",
        "{hex}: from=<{user}@example.com>, size={size}, nrcpt={small} (queue active)",
    ),
    family(
        "smartd",
        "Device: /dev/{device}, SMART Usage Attribute: 194 Temperature_Celsius changed from {small} to {small}",
    ),
    family(
        "kernel",
        "[{duration}] nf_conntrack: table full, dropping packet",
    ),
    family(
        "docker",
        "time=\"{hex}\" level=warning msg=\"unknown container\" container={hex} module=libcontainerd",
    ),
    family(
        "systemd",
        "nginx.service: Main process exited, code=exited, status={small}/FAILURE",
    ),
    family(
        "kernel",
        "[{duration}] {device}: I/O error, dev {device}, sector {size} op {hex}:(READ) flags {hex}",
    ),
];
