# nginx reads no environment: its configuration is filled in before it starts.
set -eu
fill_in() {
    envsubst "$(env | sed -n 's/^\(PROXY_[A-Z_]*\)=.*/${\1}/p')" <"/etc/nginx/proxy/$1.conf" >"/tmp/$2.conf"
}
fill_in nginx nginx
fill_in site site
if [ "${PROXY_TLS_PORT:-}" ]; then fill_in tls servers; else fill_in plain servers; fi
# An error quotes the whole address, of the page that the client came from too. A query string, and whatever has an
# e-mail address in it, are not for a log.
rm -f /tmp/errors
mkfifo /tmp/errors
# <> never comes to an end, however often nginx opens it anew.
sed -u 's/?[^ "]*/?[redacted]/g; s#[^ "/]*\(@\|%40\)[^ "/]*#[redacted]#g' <>/tmp/errors >&2 &
exec nginx -c /tmp/nginx.conf -e stderr
