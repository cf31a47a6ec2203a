module example.com/app

go 1.27

toolchain go1.99.0
