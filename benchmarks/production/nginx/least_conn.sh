# The stack's own nginx, but that it asks the replica that has the fewest requests in work.
set -eu
sed '/^exec /d' /etc/nginx/proxy/start.sh >/tmp/fill-in.sh
. /tmp/fill-in.sh
sed -i 's|zone web 256k;|zone web 256k; least_conn;|' /tmp/nginx.conf
grep -q 'least_conn' /tmp/nginx.conf
exec nginx -c /tmp/nginx.conf -e stderr
