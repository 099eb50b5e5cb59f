package storetest

var model []promise
