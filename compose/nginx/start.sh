# nginx reads no environment: its configuration is filled in before it starts.
set -eu
# Where several replicas share a proxy, Compose gives them this name. On ECS, terraform/tasks.tf sets both.
export PROXY_UPSTREAM="${PROXY_UPSTREAM:-serving}" PROXY_SCHEME="${PROXY_SCHEME:-\$scheme}"
fill_in() {
    envsubst "$(env | sed -n 's/^\(PROXY_[A-Z_]*\)=.*/${\1}/p')" <"/etc/nginx/proxy/$1.conf" >"/tmp/$2.conf"
}
fill_in nginx nginx
fill_in site site
if [ "${PROXY_BALANCER_NETWORK:-}" ]; then servers=balanced
elif [ "${PROXY_TLS_PORT:-}" ]; then servers=tls
else servers=plain; fi
fill_in $servers servers
ulimit -n "$(ulimit -H -n)"  # some engines begin at 1,024 open files, and a connection is one
exec nginx -c /tmp/nginx.conf -e stderr
