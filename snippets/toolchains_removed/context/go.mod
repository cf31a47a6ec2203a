module example

go 1.22

godebug asynctimerchan=1
