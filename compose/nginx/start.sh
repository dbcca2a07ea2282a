# nginx reads no environment: its configuration is filled in before it starts.
set -eu
fill_in() {
    envsubst "$(env | sed -n 's/^\(PROXY_[A-Z_]*\)=.*/${\1}/p')" <"/etc/nginx/proxy/$1.conf" >"/tmp/$2.conf"
}
fill_in nginx nginx
fill_in site site
if [ "${PROXY_TLS_PORT:-}" ]; then fill_in tls servers; else fill_in plain servers; fi
exec nginx -c /tmp/nginx.conf -e stderr
