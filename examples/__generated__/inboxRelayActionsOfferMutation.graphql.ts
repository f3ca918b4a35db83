/**
 * @generated SignedSource<<93230694fc338423752a87f61ca7e8df>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type OfferConversationInput = {
  agentId: string;
  conversationId: string;
};
export type inboxRelayActionsOfferMutation$variables = {
  input: OfferConversationInput;
};
export type inboxRelayActionsOfferMutation$data = {
  readonly offerConversation: {
    readonly __typename: string;
  };
};
export type inboxRelayActionsOfferMutation = {
  response: inboxRelayActionsOfferMutation$data;
  variables: inboxRelayActionsOfferMutation$variables;
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
    "name": "offerConversation",
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
    "name": "inboxRelayActionsOfferMutation",
    "selections": (v1/*:: as any*/),
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayActionsOfferMutation",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "eb8c8a986479c1dbed56fb7a5a1ee799",
    "id": null,
    "metadata": {},
    "name": "inboxRelayActionsOfferMutation",
    "operationKind": "mutation",
    "text": "mutation inboxRelayActionsOfferMutation(\n  $input: OfferConversationInput!\n) {\n  offerConversation(input: $input) {\n    __typename\n  }\n}\n"
  }
};
})();

(node as any).hash = "30b73712db428900ff0c9c19f5c22b9f";

export default node;
