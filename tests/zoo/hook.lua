-- Apache refuses a POST to a file, so a script answers.
function handle(r)
  r:requestbody()
  r:puts("ok")
  return apache2.OK
end
