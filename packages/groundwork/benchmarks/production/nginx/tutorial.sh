exec nginx -c /contender/tutorial.conf -e stderr -g 'daemon off;'
