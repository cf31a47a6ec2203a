# Writes a function that takes the compiler some seconds.
echo 'package main'
echo 'func large(n int) int {'
seq 30000 | sed 's/.*/if n%&==1 { n+=& }/'
echo 'return n }'
