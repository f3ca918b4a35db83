/**
 * @generated SignedSource<<17ad583bf9c64d77f1983d1b133a8f37>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type TakeConversationInput = {
  conversationId: string;
};
export type inboxRelayActionsTakeMutation$variables = {
  input: TakeConversationInput;
};
export type inboxRelayActionsTakeMutation$data = {
  readonly takeConversation: {
    readonly __typename: string;
  };
};
export type inboxRelayActionsTakeMutation = {
  response: inboxRelayActionsTakeMutation$data;
  variables: inboxRelayActionsTakeMutation$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "input"
  }
],
v1 = [
  {
    "alias": null,
    "args": [
      {
        "kind": "Variable",
        "name": "input",
        "variableName": "input"
      }
    ],
    "concreteType": null,
    "kind": "LinkedField",
    "name": "takeConversation",
    "plural": false,
    "selections": [
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "__typename",
        "storageKey": null
      }
    ],
    "storageKey": null
  }
];
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "inboxRelayActionsTakeMutation",
    "selections": (v1/*:: as any*/),
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayActionsTakeMutation",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "5654ef60c5dcd30fad653a9dbca2e5fd",
    "id": null,
    "metadata": {},
    "name": "inboxRelayActionsTakeMutation",
    "operationKind": "mutation",
    "text": "mutation inboxRelayActionsTakeMutation(\n  $input: TakeConversationInput!\n) {\n  takeConversation(input: $input) {\n    __typename\n  }\n}\n"
  }
};
})();

(node as any).hash = "9f99238c620ef53623bbe2ac3306269b";

export default node;
