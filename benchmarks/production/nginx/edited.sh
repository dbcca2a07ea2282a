# The stack's own nginx, but that it reaches the service by a Unix socket.
set -eu
sed '/^exec /d' /etc/nginx/proxy/start.sh >/tmp/fill-in.sh
. /tmp/fill-in.sh
sed -i 's|server serving:8000 resolve|server unix:/sockets/web.sock|' /tmp/nginx.conf
grep -q 'server unix:' /tmp/nginx.conf
exec nginx -c /tmp/nginx.conf -e stderr
