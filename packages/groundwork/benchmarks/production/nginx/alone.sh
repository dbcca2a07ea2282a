head -c 7000 /dev/zero | tr '\0' x >/tmp/answer # about as long as twenty orders
exec nginx -c /contender/alone.conf -e stderr -g 'daemon off;'
