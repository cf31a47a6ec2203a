#!/bin/sh
echo "starting as $(id -u)"
/app
