#!/usr/bin/python3
"""faces: where there are faces in a picture (OpenCV's Haar cascade)."""

import base64

from base import BadRequest, Worker, serve

import cv2
import numpy

CASCADE = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml"


class Faces(Worker):
    def load(self):
        cv2.setNumThreads(1)
        self.cascade = cv2.CascadeClassifier(CASCADE)
        if self.cascade.empty():
            raise RuntimeError("the cascade is missing: " + CASCADE)
        noise = numpy.random.RandomState(1).randint(0, 255, (480, 640), dtype=numpy.uint8)
        self.find(noise)

    def find(self, grey):
        found = self.cascade.detectMultiScale(
            grey, scaleFactor=1.1, minNeighbors=3, minSize=(40, 40))
        return [[int(value) for value in box] for box in found]

    def run(self, request):
        data = numpy.frombuffer(base64.b64decode(request["picture"]), dtype=numpy.uint8)
        grey = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
        if grey is None:
            raise BadRequest("a PNG or JPEG picture is wanted")
        return {"faces": self.find(grey)}


serve(Faces())
